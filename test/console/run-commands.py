"""Runs many commands of the AWS CLI: words as JSON lines on stdin, each with an id, with which the endpoint that it is told ends.

Each has a driver of its own, since a command may leave something behind that the next would fall over. What services are is read once: it is what
takes the CLI its time.
"""
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver

loader = create_clidriver().session.get_component("data_loader")
for line in sys.stdin:
    asked = json.loads(line)
    driver = create_clidriver()
    driver.session.register_component("data_loader", loader)
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        try:
            driver.main([*asked["words"], "--endpoint-url", f"{sys.argv[1]}/{asked['id']}"])
        except SystemExit:
            pass
    print(json.dumps({"id": asked["id"], "said": told.getvalue()}), flush=True)
