"""What the worst request or event costs that each route and each event of the application can be sent.

Routes come from the URL map and the API's description, fields from that description, from the pydantic models that are
asked and from what the views look for; events come from the registered handlers. Nothing is listed here by name.
"""
