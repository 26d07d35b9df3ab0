"""Runs measurements in child processes: some operators crash on odd arguments."""

import json
import os
import select
import signal
import time


def run(names, measure, progress, seconds=60, jobs=1):
    """measure(name) -> JSON-able, for each name; a crash or a hang costs that name alone."""
    chunks = [names[j::jobs] for j in range(jobs)]
    lanes = [{"left": chunk, "child": None} for chunk in chunks if chunk]
    results = {}

    def start(lane):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            # _print and its kin write to standard output, which may be where the table goes.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            with os.fdopen(writer, "w") as out:
                for name in lane["left"]:
                    out.write(json.dumps([name, measure(name)]) + "\n")
                    out.flush()
            os._exit(0)
        os.close(writer)
        lane.update(child=pid, fd=reader, buffer=b"", since=time.time())

    def stop(lane):
        os.close(lane["fd"])
        os.waitpid(lane["child"], 0)
        lane["child"] = None

    for lane in lanes:
        start(lane)
    while any(lane["child"] for lane in lanes):
        active = {lane["fd"]: lane for lane in lanes if lane["child"]}
        ready, _, _ = select.select(list(active), [], [], 1.0)
        for fd in ready:
            lane = active[fd]
            data = os.read(fd, 1 << 20)
            lane["buffer"] += data
            *lines, lane["buffer"] = lane["buffer"].split(b"\n")
            for line in lines:
                name, result = json.loads(line)
                results[name] = result
                lane["left"] = [n for n in lane["left"] if n not in results]
                lane["since"] = time.time()
            if not data:
                stop(lane)
                if lane["left"]:
                    progress(f"{lane['left'][0]}: crashed, left unknown")
                    results[lane["left"][0]] = None
                    lane["left"] = lane["left"][1:]
                    if lane["left"]:
                        start(lane)
        for lane in lanes:
            if lane["child"] and time.time() - lane["since"] > seconds:
                os.kill(lane["child"], signal.SIGKILL)
    return results
