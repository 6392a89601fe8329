from oldschool.report.build import build
import time


def test_it(project):
    import shutil

    project.run()
    for _ in range(2):
        t = time.time()
        build(project.reports, project.load())
        print(time.time() - t)
    print((project.reports / "claims.csv").read_text())
    shutil.rmtree("/tmp/w/h2/reports", ignore_errors=True)
    shutil.copytree(project.root, "/tmp/w/h2/project", dirs_exist_ok=True)
