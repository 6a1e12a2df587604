"""A message centre that speaks as much SMPP 3.4 as a gateway needs, for tests marked `servers`."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x4, 0x5, 0x6, 0x15
BINDS = (0x1, 0x2, 0x9)
ANSWER = 0x80000000
RECEIPT = 0x04
"""esm_class of a delivery receipt."""


@dataclass(frozen=True)
class Fate:
    """What becomes of a message: the command status at submission, then its receipt."""

    refused: int = 0
    stat: str = "DELIVRD"
    err: str = "000"


class MessageCentre:
    """Answers one gateway after the other; `fate` decides by the recipient."""

    def __init__(self, fate: Callable[[str], Fate]) -> None:
        self._fate = fate
        self._count = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]

    def __enter__(self) -> MessageCentre:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                gateway, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(gateway,), daemon=True).start()

    def _talk(self, gateway: socket.socket) -> None:
        stream = gateway.makefile("rb")
        while head := stream.read(16):
            length, command, _, sequence = struct.unpack(">IIII", head)
            body = stream.read(length - 16)
            if command in BINDS:
                self._send(gateway, command | ANSWER, sequence, b"centre\0")
            elif command in (ENQUIRE, UNBIND):
                self._send(gateway, command | ANSWER, sequence, b"")
            elif command == SUBMIT:
                self._submitted(gateway, sequence, body)

    def _submitted(self, gateway: socket.socket, sequence: int, body: bytes) -> None:
        _, rest = body.split(b"\0", 1)
        source, rest = rest[2:].split(b"\0", 1)
        recipient = rest[2:].split(b"\0", 1)[0]
        fate = self._fate(recipient.decode())
        self._count += 1
        number = f"c{self._count:07}"
        if fate.refused:
            self._send(gateway, SUBMIT | ANSWER, sequence, b"", fate.refused)
            return
        self._send(gateway, SUBMIT | ANSWER, sequence, number.encode() + b"\0")
        time.sleep(0.2)
        now = time.strftime("%y%m%d%H%M%S").encode()
        text = b"id:%b sub:001 dlvrd:001 submit date:%b done date:%b stat:%b err:%b text:" % (
            number.encode(),
            now,
            now,
            fate.stat.encode(),
            fate.err.encode(),
        )
        receipt = (
            b"\0\x01\x01" + recipient + b"\0\x05\0" + source + b"\0"
            + bytes([RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0, len(text)]) + text
        )  # fmt: skip
        self._send(gateway, DELIVER, 1000 + self._count, receipt)

    def _send(
        self, gateway: socket.socket, command: int, sequence: int, body: bytes, status: int = 0
    ) -> None:
        gateway.sendall(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)
