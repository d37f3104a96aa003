"""The AWS CLI, loaded once: each line of standard input is a call, which a fork of this process makes as a process of its own would.

A call is {"id", "args", "env", "cwd", "out", "err"}; the answer is a line "ID CODE" when its output stands in the two files. Ends with its input,
and takes with it what still runs.
"""
import json
import os
import select
import signal
import sys

import awscli.clidriver
try:
    from awscli.botocore import loaders
except ImportError:
    from botocore import loaders

MODELS = ('service-2', 'paginators-1', 'waiters-2', 'endpoint-rule-set-1')


def keep_models():
    """Every call reads EC2's own model anew, which takes longer than the rest of it: forks find it read."""
    read, kept = loaders.JSONFileLoader.load_file, {}

    def load_file(self, path):
        if path not in kept:
            kept[path] = read(self, path)
        return kept[path]
    loaders.JSONFileLoader.load_file = load_file
    driver = awscli.clidriver.create_clidriver()
    driver.subcommand_table  # With what it imports.
    for model in MODELS:
        driver.session.get_component('data_loader').load_service_model('ec2', model)


def begin(call):
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 255
    try:
        os.chdir(call['cwd'])
        models = os.environ['AWS_DATA_PATH']  # As awscli has set it, loaded.
        os.environ.clear()
        os.environ.update(call['env'], AWS_DATA_PATH=models)
        files = os.open(os.devnull, os.O_RDONLY), *(os.open(call[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for name in ('out', 'err'))
        for number, file in enumerate(files):
            os.dup2(file, number)
        sys.argv = ['aws', *call['args']]
        code = awscli.clidriver.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        print(repr(error), file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def main():
    keep_models()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    calls, rest = {}, b''
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            while calls:
                child, status = os.waitpid(-1, os.WNOHANG)
                if not child:
                    break
                os.write(1, b'%d %d\n' % (calls.pop(child), os.waitstatus_to_exitcode(status) & 0xff))
        if 0 in ready:
            data = os.read(0, 1 << 20)
            if not data:
                break
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                call = json.loads(line)
                calls[begin(call)] = call['id']
    for child in calls:
        os.killpg(child, signal.SIGKILL)


main()
