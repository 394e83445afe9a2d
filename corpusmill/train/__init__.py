"""Pretrain a decoder on the token rows.  Light to import: torch is loaded when a model is really trained or run.

settings    what can be set
run         `train`: do what is asked for, unless it is done
job         what is asked for, what is already there
data        training rows, a pure function of their position
model       the decoder
optim       Muon, AdamW and their schedule
loop        the steps
evaluate    validation, metrics
checkpoint  exact resume
ranks       several processes, one a GPU
trace       from a step back to its documents
generate    text from a trained model
"""
