from oldschool.report.build import build
from oldschool.report.verify import verify
import time, json, os


def test_it(project):
    project.run()
    build(project.reports, project.load())
    t = time.time()
    assert verify(project.reports, {r.name: r for r in project.load()}) == []
    print(time.time() - t)
    project.edit(
        "replications/demo2001_tiny/figures.py", 'xlabel="weights left"', 'xlabel="weights lefr"'
    )
    project.edit("replications/demo2001_tiny/claims.yaml", "margin: 2", "margin: 3")
    (project.reports / "foo.txt").write_text("")
    (project.reports / "results/foo.txt").write_text("")
    with open((project.reports / "tables/tiny/weights_left.md"), "a") as f:
        f.write("x")
    for p in verify(project.reports, {r.name: r for r in project.load()}):
        print(p)
    project.edit("replications/demo2001_tiny/__init__.py", '"prune", 1', '"prune", 2')
    p = project.reports / "results/tiny/pruned.csv"
    s = p.read_text().replace("obs,14", "obs,13", 1)
    p.write_text(s)
    for p in verify(project.reports, {r.name: r for r in project.load()}):
        print(p)
