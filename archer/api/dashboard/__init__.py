"""Pages for people at `/`: HTML made here, kept fresh by small scripts that follow the events. See docs/dashboard.md.

Every page is whole without a script; what changes something is a form. A browser is known by the API key that its user pasted,
in a cookie that only these pages take: the API itself takes no cookie, so that no other page can use it.
"""
