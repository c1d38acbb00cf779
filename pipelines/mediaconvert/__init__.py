"""The useful part of AWS MediaConvert's job schema, as orders of ours; everything else is refused by name."""
