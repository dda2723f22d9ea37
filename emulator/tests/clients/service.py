"""An HTTP service on this machine, outside the cloud."""

import threading
from http.server import ThreadingHTTPServer


class Service:
    """What is to be entered begins it; it ends where that is left."""

    def begin(self, handler):
        self.service = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.service.serve_forever, daemon=True).start()
        self.authority = f"127.0.0.1:{self.service.server_port}"
        self.url = f"http://{self.authority}"
        return self

    def __exit__(self, *_):
        self.service.shutdown()
        self.service.server_close()
