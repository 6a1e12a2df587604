"""Problems with their evidence, found in hourly slices of the cube.

What the fields of a finding hold, by kind:

| kind | messages | affected | rate and baseline | cost |
|---|---|---|---|---|
| delivery_drop, sender_blocked | sent in the run | failed or rejected, not by a bad number | \
delivered of submitted | of the affected |
| receipts_missing | sent in the run | unknown or pending | known ends of submitted | \
of the affected |
| slow_delivery | delivered with a time | slower than the limit | slow of delivered_with_time | - |
| dead_numbers | sent | permanent, mended by the list | dead of submitted | of the affected |
| unmapped_words | messages of the source | with an unmapped word | unmapped of submitted | - |
| quarantined_records | records of the source | quarantined | quarantined of records | - |

A message to a bad number is never a delivery drop: it says something of the list, not of the
network, and is told once, as a dead number.
"""
