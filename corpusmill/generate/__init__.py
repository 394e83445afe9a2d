"""Text from a trained model.  Light to import: torch is loaded when a model is used.

Read in this order:

- `settings`: how the next token is chosen, and where a text ends.
- `readers`: every kind of model, behind one interface: read tokens, give scores of the next one.
- `sampling`: from scores to a token.
- `beams`: beam search.
- `writer`: from tokens to text, in whole characters, up to a stop string.
- `prompts`: from a text to token ids; prompts in files.
- `chat`: messages to a text, with the model's chat template.
- `run`: the functions `generate`, `stream` and `complete`.
- `fill`: the most likely tokens for each `[MASK]`.
"""
