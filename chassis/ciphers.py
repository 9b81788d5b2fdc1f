"""Keeps gRPC to TLS 1.3. The chassis loads it first: grpc reads the setting when it is loaded itself.

gRPC has no switch for the lowest TLS version. Its setting for cipher suites names those of TLS 1.2; the ones
of 1.3 are fixed. The suite named here works only with a key shared beforehand, which nobody has, so that
TLS 1.2 finds nothing to agree on.
"""

import os
import sys

VARIABLE = "GRPC_SSL_CIPHER_SUITES"
NONE_OF_TLS_1_2 = "ECDHE-PSK-CHACHA20-POLY1305"

IS_TLS_1_3_ONLY = "grpc._cython.cygrpc" not in sys.modules or os.environ.get(VARIABLE) == NONE_OF_TLS_1_2
os.environ[VARIABLE] = NONE_OF_TLS_1_2
