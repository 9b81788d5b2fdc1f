"""The public door's own HTTP/1.1: one request in, one answer out, whole or in a stream.

Owns connections from strangers: handshake, heads, framing, deadlines, bounds (T-09, R-23, R-25). Never
decides what a call may do: a face is handed each request and answers it.

    entrance, handshakes                         newcomers, one at a time and at a pace
       │
    server ── connection ── heads, bodies      one request at a time; what is in doubt ends the connection
                  │
              exchange ── serving ── ways      id, span, place, log line; which face
                  │
     spapi, documents, pages                      the faces; `request` is what they see
"""

from services.gateway.door.documents import DocumentsFace
from services.gateway.door.pages import Pages
from services.gateway.door.server import Door
from services.gateway.door.spapi import SpapiFace
from services.gateway.door.ways import Way, Ways

__all__ = ["DocumentsFace", "Door", "Pages", "SpapiFace", "Way", "Ways"]
