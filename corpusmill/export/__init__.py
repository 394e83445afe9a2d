"""A trained model in the formats of other programs.  Light to import: torch and others are loaded when they are needed.

Read in this order:

- `formats`: what can be exported to what, and the function `export`.
- `figures`: what an export has measured, as Parquet in the model's folder.
- `folder`: a model's folder and the corpus that it was trained on.
- `hf`: a folder for HF transformers; `card`: its model card; `data`: what the corpus says of itself.
- `onnx`, `int8`: ONNX, and the same with weights of 8 bits.
- `gguf`: the file format of llama.cpp.
- `probe`: whether another program gives the same scores.
"""
