"""Receipts of SMPP message centres, as gateways keep them: 'id:.. stat:DELIVRD err:000 text:..'.

The form is Appendix B of SMPP 3.4. Kannel puts a type before it (dlr_mask: 1 delivered, 2 not
delivered, 4 queued, 8 accepted, 16 refused) and writes ACK/ and NACK/ for answers at submission
(kannel 1.4.5 userguide; gw/bb_smscconn.c). Type 2 is for expired, rejected, deleted and unknown
alike, so the receipt's own word comes first.
"""

from __future__ import annotations

import polars as pl

_COLON = "(?::|%3A)"
"""Some tables keep the text URL-encoded."""
STATE = rf"stat{_COLON}\s*(\w+)"
ERROR = rf"err{_COLON}\s*(\w+)"
REFUSAL = r"^NACK(?:/|%2F)(0x[0-9a-fA-F]+)"


def kannel_status(text: pl.Expr, kind: pl.Expr) -> pl.Expr:
    """The receipt's own word; 'DLR 8' and so on where it has none. `kind` is the type as text."""
    return pl.coalesce(text.str.extract(STATE), pl.format("DLR {}", kind))


def kannel_code(text: pl.Expr) -> pl.Expr:
    """The receipt's err, or the command status of a refusal such as 0x0000000b."""
    return pl.coalesce(text.str.extract(ERROR), text.str.extract(REFUSAL))
