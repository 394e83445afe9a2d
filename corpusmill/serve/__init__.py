"""A server for one model, with the completions of the OpenAI API.

Read in this order:

- `requests`: what a request may say.
- `writing`: texts that are written in a thread, for requests that wait in turn.
- `app`: the endpoints.
"""
