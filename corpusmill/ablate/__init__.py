"""Ablations: what a change of the recipe is worth, measured by training small models.

Read in this order:

- `settings`: the TOML file of an ablation.
- `overrides`: a recipe with the changes of a variant.
- `corpora`: one corpus per variant, which shares with the base recipe's all that is equal.
- `held_out`: the texts that all models are measured on, and that none has seen.
- `experiment`: the folder of an ablation: corpora, models, losses; what is there already is not made again.
- `statistics`: differences with intervals, and how many more tokens the worse variant needs.
- `compare`: variants side by side.
- `search`: thresholds and mixes within a budget of runs.
- `fit`, `scaling`: a scaling law over sizes and tokens.
- `results`: the answers as tables.
- `page`: the answers as a page with charts.
"""
