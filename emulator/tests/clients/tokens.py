"""An issuer of JSON Web Tokens on this machine, with a key that is for tests alone."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler

from service import Service

P = int(
    "ce4c8a945be5d5a4f7c11640439077aabc18af9329509405b8320759c2b4b772649de1bad53a828cbbc358401e99f4b6"
    "1250cb5469fa9c5ac366e5bf2cfbeb39d12c950e476666d0df10f3072ccdc3597186349334eb8c5a51d217a9ec2e15c0"
    "0be4012a416b1939881fef5877fb8d8dcaa3f31efa973443528ac1860360084f",
    16,
)
Q = int(
    "b866315231ad70f630468965db0a326c6c6fc9ef1f4143600f99e00e9df057f28563b84dad5dc9c4be3c3aa7f153ac1c"
    "dc34b35b81b562d5e89ae86e4283b08ad921b0f60d8568e0528f9a08e76f9af18f2b7895157250ca8b115ff98b78e6e0"
    "a38af804a074962af64ed2f27997b808f338bbd51d51593343f6eaf0c511beef",
    16,
)
N, E = P * Q, 65537
D = pow(E, -1, (P - 1) * (Q - 1))
# DigestInfo of RFC 8017, section 9.2.
PREFIXES = {
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def token(claims, alg="RS256", kid="one"):
    """A signed token."""
    header = {"alg": alg, "kid": kid, "typ": "JWT"}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    hashed = f"sha{alg[2:]}" if alg[2:] in ("256", "384", "512") else "sha256"
    digest = bytes.fromhex(PREFIXES[hashed]) + hashlib.new(hashed, signed.encode()).digest()
    size = (N.bit_length() + 7) // 8
    padded = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
    signature = pow(int.from_bytes(padded, "big"), D, N).to_bytes(size, "big")
    return f"{signed}.{encoded(signature)}"


class Issuer(Service):
    """Serves its configuration and its keys."""

    def __enter__(self):
        issuer = self
        self.asked = []
        self.keys = [{"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256", "n": number(N), "e": number(E)}]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                said = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": issuer.keys},
                }.get(self.path)
                body = json.dumps(said).encode()
                self.send_response(404 if said is None else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return self.begin(Handler)
