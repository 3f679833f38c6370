"""Says which Python it runs on. The same file serves Python 2 and Python 3."""

import json
import os
import platform
import signal
import sys

try:
    from http.server import BaseHTTPRequestHandler, HTTPServer
except ImportError:
    from BaseHTTPServer import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers every question with the version of the interpreter."""

    def do_GET(self):
        body = json.dumps({"app": "overwatch", "python": platform.python_version()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Stay quiet: the health check asks often."""


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
