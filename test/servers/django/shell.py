"""Runs Python in the loaded site: reads {code, given} in JSON from a socket, and writes {answer} or {failed}."""

import json
import os
import socketserver
import textwrap
import traceback


class Shell(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(run(**json.load(self.rfile)).encode())


class Server(socketserver.UnixStreamServer):
    request_queue_size = 100


def run(code, given):
    from django.contrib.auth import get_user_model
    from django.core.serializers.json import DjangoJSONEncoder
    from django.db import connections

    answers = [None]
    names = {'given': given, 'answer': answers.append, 'User': get_user_model()}
    try:
        exec(textwrap.dedent(code), names)
        return json.dumps({'answer': answers[-1]}, cls=DjangoJSONEncoder)
    except Exception:
        return json.dumps({'failed': traceback.format_exc()})
    finally:
        connections.close_all()


def fork(path):
    """Starts a process that serves the socket. It has to be a child of gunicorn, with which it ends."""
    if os.path.exists(path):
        os.unlink(path)
    server = Server(path, Shell)
    if os.fork() == 0:
        server.serve_forever()
    server.server_close()
