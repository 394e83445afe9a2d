"""The stages of a run: what each reads, what it depends on, and how it is made.  No Beam here.

job       what a run is about
stage     the kinds of stages, and the protocol that they share
chain     the list of stages, in order
state     where a run stands, from receipts alone

Every other module holds one stage.
"""
