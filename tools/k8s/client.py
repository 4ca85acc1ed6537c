"""One person's requests to the gateway over a connection that is kept, and a ledger of what was answered."""

import collections
import datetime
import http.client
import json
import threading
import time
import urllib.parse
import uuid

# As impatient as people.
TIMEOUT = 5


class Person:
    """An account of its own, and the one connection that its requests share."""

    def __init__(self, base, name, token=None):
        self.address = urllib.parse.urlsplit(base).netloc
        self.connection = None
        self.again = 0
        self.token = token
        if token is None:
            account = {"email": f"{name}-{uuid.uuid4()}@example.org", "password": "correct horse", "display_name": name}
            self.token = self.expect(201, "POST", "/api/auth/signup", account)["access_token"]

    def ask(self, method, path, body=None, headers=()):
        """The status and the body. A kept connection that turns out closed before a word of an answer came is no
        failure: HTTP lets a server close it at any time, and clients ask again what may be repeated; all here may."""
        kept = self.connection is not None
        try:
            return self.send(method, path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if not kept:
                raise
            self.again += 1
            return self.send(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def send(self, method, path, body, headers):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT)
        headers = {"content-type": "application/json", **dict(headers)}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.will_close:
            self.close()
        return answer.status, json.loads(text) if text else None

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def expect(self, status, *request):
        got, body = self.ask(*request)
        assert got == status, f"{request}: {got} {body}"
        return body

    def accepts(self, *request):
        """Whether it succeeds, of a server that may be gone."""
        try:
            return self.ask(*request)[0] < 300
        except (OSError, http.client.HTTPException):
            return False

    def tasks(self):
        return self.expect(200, "GET", "/api/tasks?limit=1000")["tasks"]

    def notifications(self):
        return self.expect(200, "GET", "/api/notifications?limit=1000")["notifications"]


def soon(seconds):
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Ledger:
    """Creates tasks that ring, one after the other, until it is stopped. Each is sent again, under the same id, until it
    is answered. `audit` then says whether what was answered is there, once, and rang once."""

    def __init__(self, base, name):
        self.person = Person(base, name)
        self.answered = {}
        self.gap = 0.0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        last = time.monotonic()
        while not self.stopped.is_set():
            id = str(uuid.uuid4())
            while True:
                # Near enough that it rings while things are broken, far enough that it is not over when it arrives.
                task = {"id": id, "title": f"ledger {id}", "reminders": [{"trigger_at": soon(3)}]}
                try:
                    status, body = self.person.ask("POST", "/api/tasks", task)
                except (OSError, http.client.HTTPException) as error:
                    status, body = 0, repr(error)
                if status == 409 and body["error"]["code"] == "ID_CONFLICT":
                    # It was done, with the reminder of the try before; what is there says so.
                    status, body = self.person.ask("GET", f"/api/tasks/{id}")
                    status = 201 if status == 200 else status
                if status == 201:
                    break
                assert status in (0, 502, 503, 504), f"{status} {body}"
                time.sleep(0.2)
            now = time.monotonic()
            self.gap, last = max(self.gap, now - last), now
            self.answered[id] = body["reminders"][0]["id"]
            time.sleep(0.2)

    def stop(self):
        self.stopped.set()
        self.thread.join(60)
        assert not self.thread.is_alive(), "the ledger's writer hangs"

    def audit(self):
        tasks = collections.Counter(task["id"] for task in self.person.tasks())
        rang = collections.Counter(notification["reminder_id"] for notification in self.person.notifications())
        wrong = [f"task {id} is there {tasks[id]} times" for id in self.answered if tasks[id] != 1]
        wrong += [f"reminder {id} rang {rang[id]} times" for id in self.answered.values() if rang[id] != 1]
        return wrong + [f"nobody asked for {id}" for id in tasks if id not in self.answered]


class Load:
    """So many requests a second, of a kind that may be repeated: lists, reads, and creations with ids of the client's."""

    CONNECTIONS = 20

    def __init__(self, base, rate):
        self.pause = self.CONNECTIONS / rate
        self.person = Person(base, "load")
        self.base, self.failed, self.took, self.again, self.created = base, [], [], 0, []
        self.stopped = threading.Event()
        self.begun = time.monotonic()
        self.threads = [threading.Thread(target=self.work, args=(n,), daemon=True) for n in range(self.CONNECTIONS)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        person = Person(self.base, "load", self.person.token)
        due = self.begun + number * self.pause / self.CONNECTIONS
        turn, last = number, None
        while not self.stopped.wait(max(0.0, due - time.monotonic())):
            due, turn = due + self.pause, turn + 1
            if turn % 5 == 0 or last is None:
                last = str(uuid.uuid4())
                request, good = ("POST", "/api/tasks", {"id": last, "title": f"load {last}"}), 201
            elif turn % 2:
                request, good = ("GET", f"/api/tasks/{last}"), 200
            else:
                request, good = ("GET", "/api/tasks?limit=20&sort_by=created_at"), 200
            begun = time.monotonic()
            try:
                status, body = person.ask(*request)
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, repr(error)
            self.took.append(time.monotonic() - begun)
            if status != good:
                self.failed.append(f"after {begun - self.begun:.1f} s {request[0]} {request[1]}: {status} {body}")
                last = None if request[0] == "POST" else last
            elif request[0] == "POST":
                self.created.append(last)
        self.again += person.again

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)
        took, elapsed = sorted(self.took), time.monotonic() - self.begun
        print(
            f"  {len(took)} requests in {elapsed:.0f} s ({len(took) / elapsed:.0f}/s), {len(self.failed)} failed, p50 "
            f"{took[len(took) // 2] * 1000:.0f} ms, p99 {took[len(took) * 99 // 100] * 1000:.0f} ms, slowest "
            f"{took[-1] * 1000:.0f} ms, {self.again} asked again on a new connection"
        )
        return self.failed
