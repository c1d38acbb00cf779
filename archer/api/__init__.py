"""The HTTP API of `cinemill serve`: submit, watch and fetch jobs from anywhere. The only place that knows web frameworks.

    from pathlib import Path
    from archer.api.app import create_app
    from archer.api.settings import Settings

    app = create_app(Settings(work_dir=Path("work")))     # an ASGI application

A request passes the guards (`guards/`), is allowed (`auth`), and reaches a route (`routes/`, one file per noun), which asks the
store (`archer.store`) and gives documents (`models`). What runs jobs is another process, the scheduler: they share the store.
"""
