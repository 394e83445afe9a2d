"""The stages of a run: what each reads, what it depends on, and how it is made.  No Beam here.

- `job`: what a run works on.
- `stage`: the kinds of stages, and their common protocol.
- `chain`: the list of stages, in order.
- `state`: the progress of a run, from receipts only.

Every other module contains one stage.
"""
