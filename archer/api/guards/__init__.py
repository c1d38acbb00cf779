"""What stands between the network and the routes, outermost first: one plain ASGI class per danger."""
