"""For Schemathesis: logs in as the admin, again when a request has ended the session."""

import json
import os
import urllib.request

import schemathesis

URL = os.environ["REGISTRY_URL"]
ADMIN = json.loads(os.environ["REGISTRY_ADMIN"])
# A token is good for 1,000 calls.
CALLS = 300


class Session:
    token = None
    left = 0

    def get(self):
        if self.token is None or self.left == 0:
            body = {"user": {"name": ADMIN["name"], "is_admin": True}, "secret": {"password": ADMIN["password"]}}
            request = urllib.request.Request(URL + "/authenticate", method="PUT", data=json.dumps(body).encode())
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.token = json.load(answer)
            self.left = CALLS
        self.left -= 1
        return self.token


session = Session()


@schemathesis.auth(refresh_interval=None)
class Login:
    def get(self, case, context):
        return session.get()

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["X-Authorization"] = data


@schemathesis.hook
def before_call(context, case, kwargs):
    # The account that logs in has to stay as it is.
    names = case.path_parameters
    if isinstance(names, dict) and names.get("name") == ADMIN["name"] and case.path.startswith("/user/"):
        names["name"] = "nobody"


@schemathesis.hook
def after_call(context, case, response):
    ends = case.method.upper() == "DELETE" and case.path in ("/authenticate", "/reset")
    if ends or (response.status_code == 403 and "token" in response.text):
        session.token = None
