"""Problems with their evidence, found in hourly slices of the cube.

What the fields of a finding hold, by kind:

| kind | messages | affected | rate and baseline | cost |
|---|---|---|---|---|
| delivery_drop, sender_blocked | sent in the run | failed or rejected, not by a bad number | \
delivered of submitted | of the affected |
| receipts_missing | sent in the run | unknown or pending | known ends of submitted | \
of the affected |
| slow_delivery | delivered with a time | slower than the limit | slow of delivered_with_time | - |
| dead_numbers | sent | number invalid or not a mobile one | dead of submitted | of the affected |
| unmapped_words | messages of the source | with an unmapped word | unmapped of submitted | - |
| quarantined_records | records of the source | quarantined | quarantined of records | - |

What the contact list can mend is never a delivery drop: it says nothing of the network. Dead
numbers are told once, of the one campaign that brought them or of all messages; people who opted
out are no finding: their numbers work, and the table of reasons counts them.
"""
