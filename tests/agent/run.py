"""run.py [BUILD] [NAME...]: runs tests by name, all by default; status 1 when one failed."""
import os, signal, sys, time
import lab

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that namespaces and mounts are taken down

if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]):
    lab.BUILD = os.path.abspath(sys.argv.pop(1))

import test_drops, test_facts, test_files, test_hashes, test_load, test_sources, test_verdicts

TESTS = {}
for module in (test_facts, test_sources, test_files, test_load, test_verdicts, test_drops, test_hashes):
    TESTS.update({n[5:]: f for n, f in vars(module).items() if n.startswith("test_")})

failed = 0
for name in sys.argv[1:] or TESTS:
    begin = time.time()
    try:
        print(f"ok {name}: {TESTS[name]()} ({time.time() - begin:.1f} s)", flush=True)
    except lab.Skip as why:
        print(f"skip {name}: {why}", flush=True)
    except Exception as why:
        failed += 1
        text = str(why) or repr(why)
        print(f"not ok {name}: {text if isinstance(why, AssertionError) else type(why).__name__ + ': ' + text}", flush=True)
sys.exit(1 if failed else 0)
