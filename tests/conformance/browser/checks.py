"""What Chromium must see: checks.py BROWSER BINARY PROJECT HOSTILE_PROJECT SCREENSHOTS. Closes with 'N passed, N failed'."""
import json
import os
import sys
import urllib.parse
import urllib.request

from playwright.sync_api import sync_playwright

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import hostile  # noqa: E402
import project  # noqa: E402
import weather  # noqa: E402

TOKEN = "0123456789abcdef0123"
# Whatever breaks the page's policy is noted where the test can read it.
NOTE_VIOLATIONS = """window.violations = [];
document.addEventListener('securitypolicyviolation', (e) => window.violations.push(e.violatedDirective + ' ' + e.blockedURI));"""


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, fits, why=""):
        self.passed += bool(fits)
        self.failed += not fits
        if not fits:
            print(f"  FAIL  {name}  {why}", flush=True)


check = Checks()


class Tab:
    """One page that remembers what went wrong on it."""

    def __init__(self, browser, scheme="light", width=1280):
        self.context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 860})
        self.page = self.context.new_page()
        self.problems, self.attacks = [], []
        self.page.on("console", lambda m: self.problems.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self.problems.append(str(e)))
        self.page.on("dialog", lambda d: (self.attacks.append("a dialog"), d.dismiss()))
        self.page.expose_function("attacked", lambda *_: self.attacks.append("a script"))
        self.page.add_init_script(NOTE_VIOLATIONS)

    def show(self, url, wait="main h1, main h2"):
        self.page.goto("about:blank")
        self.page.goto(url)
        self.page.wait_for_selector(wait, timeout=20000)
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(150)  # a chart is drawn in the next frame

    def settle(self, name):
        violations = self.page.evaluate("window.violations")
        check(f"{name}: nothing is logged", not self.problems, self.problems[:3])
        check(f"{name}: no rule of the policy is broken", not violations, violations[:3])
        check(f"{name}: no script ran", not self.attacks, self.attacks[:3])
        self.problems, self.attacks = [], []


def until(page, condition, name):
    """Waits for a condition in JavaScript; the page's policy forbids the eval that playwright's own waiting needs."""
    for _ in range(200):
        if page.evaluate(condition):
            return check(name, True)
        page.wait_for_timeout(100)
    return check(name, False, condition)


def api(server, path):
    with urllib.request.urlopen(f"{server.url}/api/{path}") as answer:
        return json.load(answer)


def first_of(server, **query):
    return api(server, "runs?" + urllib.parse.urlencode(query))["runs"][0]["id"]


def views_of(server):
    evaluations = api(server, "runs?filter=kind:eval+candidate:calls")["runs"]
    words = first_of(server, filter="kind:eval candidate:words")
    asked = first_of(server, filter="kind:ask")
    trace = api(server, f"runs/{asked}/traces")["traces"][0]["trace_id"]
    return {
        "runs": ("#/runs", "table.rows tbody tr"),
        "evaluation": (f"#/run/{evaluations[0]['id']}", "table.cases tbody tr"),
        "training": ("#/run/" + first_of(server, filter="kind:tune"), "figure.curve canvas"),
        "asked": (f"#/run/{asked}", "main h1"),
        "compare": (f"#/compare/{words}/{evaluations[0]['id']}", "main .big"),
        "compare-prompts": (f"#/compare/{evaluations[-1]['id']}/{evaluations[0]['id']}", ".diff .line.added"),
        "trace": (f"#/trace/{trace}", "table.spans tbody tr"),
        "prompts": ("#/prompts/calls", ".diff .line"),
        "notebook": ("#/notebook", "ol.notebook li"),
    }


def look_at_views(browser, server, folder, screenshots):
    views = views_of(server)
    for scheme in ("light", "dark"):
        tab = Tab(browser, scheme)
        for name, (path, wait) in views.items():
            tab.show(f"{server.url}/{path}", wait)
            tab.page.screenshot(path=os.path.join(screenshots, f"{name}-{scheme}.png"))
            tab.settle(f"{name}, {scheme}")
        tab.show("file://" + os.path.join(folder, "report.html"), "h1")
        tab.page.screenshot(path=os.path.join(screenshots, f"report-{scheme}.png"), full_page=True)
        tab.settle(f"report, {scheme}")
    narrow = Tab(browser, "light", 400)
    for name, (path, wait) in views.items():
        narrow.show(f"{server.url}/{path}", wait)
        wide = narrow.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        check(f"{name}: fits a narrow screen", wide <= 0, f"{wide} px too wide")
    narrow.page.screenshot(path=os.path.join(screenshots, "notebook-narrow.png"))


def use_the_table(browser, server):
    tab = Tab(browser)
    page = tab.page
    tab.show(f"{server.url}/#/runs", "table.rows tbody tr")
    page.keyboard.press("/")
    page.keyboard.type("kind:eval")
    until(page, "[...document.querySelectorAll('tbody .kind')].every((k) => k.textContent === 'eval')", "filtered by kind")
    check("the filter is in the address", "filter=kind" in page.url, page.url)
    page.get_by_role("button", name="Exact match").click()
    page.wait_for_selector("th[aria-sort=descending] >> text=Exact match")
    until(page, """() => { const shares = [...document.querySelectorAll('tbody td.strong')]
        .map((cell) => parseFloat(cell.textContent)).filter((share) => !isNaN(share));
        return shares.length > 2 && shares.every((share, i) => i === 0 || shares[i - 1] >= share); }""", "sorted by exact match")
    boxes = page.locator("tbody input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_text("Compare the two").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("main .big")
    check("two chosen runs are compared", "#/compare/" in page.url, page.url)
    tab.settle("the table")
    page.goto(f"{server.url}/#/runs?filter=colour:red")
    page.wait_for_selector("[role=alert]")
    check("a wrong filter is told", "to filter by" in page.inner_text("[role=alert]"))


def type_and_go_back(browser, server):
    tab = Tab(browser)
    page = tab.page
    views = views_of(server)
    path, wait = views["evaluation"]
    tab.show(f"{server.url}/#/runs", "table.rows tbody tr")
    page.goto(f"{server.url}/{path}")
    page.wait_for_selector(wait)
    page.evaluate("""() => {
        const add = (letters) => { const field = document.getElementById('cases'); field.value += letters;
            field.dispatchEvent(new Event('input', { bubbles: true })); };
        window.addEventListener('hashchange', () => { add('e'); window.setTimeout(() => add('r'), 100); }, { once: true });
        add('weth'); }""")
    until(page, "location.hash.endsWith('text=wether')", "no letter is lost that is typed while the first are looked for")
    page.evaluate("history.back()")
    until(page, "location.hash === '#/runs'", "Back leads out of what was typed")
    page.goto(f"{server.url}/{path}")
    page.wait_for_selector(wait)
    page.fill("#cases", "joke")
    page.get_by_role("link", name="Notebook").click()
    page.wait_for_selector("ol.notebook li")
    page.wait_for_timeout(400)
    check("a search that was left leads nobody back", page.url.endswith("#/notebook"), page.url)
    tab.show(f"{server.url}/{views['asked'][0]}?traces=1", "nav.pager")
    page.get_by_role("button", name="Before").click()
    until(page, "!location.hash.includes('?') && !document.querySelector('nav.pager')", "the page of traces is in the address")
    tab.settle("typing and going back")


def compare_other_rows(browser, server):
    tab = Tab(browser)

    def of_other_rows(route):
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "same_rows": False})

    path, wait = views_of(server)["compare"]
    tab.show(f"{server.url}/{path}", wait)
    check("the same rows need no note", "different versions" not in tab.page.inner_text("main"))
    tab.page.route("**/api/compare*", of_other_rows)
    tab.show(f"{server.url}/{path}", wait)
    check("other rows are told", "different versions of the rows" in tab.page.inner_text("main"))


def watch_production(browser, server, binary, folder):
    tab = Tab(browser)
    tab.show(f"{server.url}/#/notebook", "header .alias b")
    project.run(binary, folder, "promote", "words", "--force", "--because", "to be seen")
    until(tab.page, "document.querySelector('header .alias b').textContent === 'words'", "the header tells a release")


def walk_with_the_keyboard(browser, server):
    tab = Tab(browser)
    tab.show(f"{server.url}/#/runs", "table.rows tbody tr")
    reached = set()
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        reached.add(tab.page.evaluate("(document.activeElement.textContent || document.activeElement.id).trim()"))
    for name in ("To the content", "Notebook", "filter", "Kind"):
        check(f"Tab reaches '{name}'", name in reached, sorted(reached)[:20])


def watch_it_grow(browser, server, folder):
    tab = Tab(browser)
    tab.show(f"{server.url}/#/run/{hostile.GROWING}", "figure.curve canvas")
    before = tab.page.locator("figure.curve [role=img]").first.get_attribute("aria-label")
    hostile.add_points(folder, 50, 400)
    check("a curve has its points", "50 points" in before, before)
    until(tab.page, "document.querySelector('figure.curve [role=img]').ariaLabel.includes('450 points')",
          "a curve grows while it is looked at")
    tab.settle("a growing run")


def attack(browser, server, binary, folder):
    tab = Tab(browser)
    tab.page.evaluate("attacked()")
    check("an attack would be noticed", tab.attacks == ["a script"])
    tab.attacks = []
    paths = ["runs", f"run/{hostile.EVAL}", f"run/{hostile.GROWING}", f"run/{hostile.GATE}", "notebook", "prompts",
             f"compare/{hostile.EVAL}/{hostile.EVAL}", "trace/" + urllib.parse.quote(hostile.TRACE, safe="")]
    paths += [f"run/{run['id']}" for run in api(server, "runs?limit=200")["runs"][:8]]
    paths += [urllib.parse.quote(text, safe="/") for text in hostile.ATTACKS]
    paths += ["runs?filter=" + urllib.parse.quote(text) for text in hostile.ATTACKS]
    for path in paths:
        tab.show(f"{server.url}/#/{path}", "main h1, main h2, [role=alert]")
        for element in tab.page.locator("summary:visible, button.plain:visible").all():
            element.click(timeout=5000)
        tab.page.wait_for_timeout(50)
        foreign = tab.page.evaluate("""[...document.querySelectorAll('script, iframe, object, embed, base, link, meta, style,'
            + 'body img, form, [onerror], [onload], [onfocus], [ontoggle], a[href^="javascript" i]')]
            .filter((e) => !e.closest('head') && !e.matches('header.top img')).map((e) => e.outerHTML.slice(0, 80))""")
        check(f"{path[:40]}: no element came from data", not foreign, foreign[:3])
        tab.problems = [p for p in tab.problems if "status of 4" not in p]  # what is not there is a 404
        tab.settle(path[:40])
    report = os.path.join(folder, "report.html")
    project.run(binary, folder, "report", hostile.candidate()[0][:12], "-o", report)
    tab.show("file://" + report, "h1")
    check("the report holds the attacks", hostile.ATTACKS[0] in tab.page.inner_text("body"))
    tab.settle("a hostile report")


def ask_for_the_token(browser, binary, folder):
    with weather.Server(binary, folder, TOKEN) as server:
        tab = Tab(browser)
        tab.show(server.url, "input[type=password]")
        for token, then in ((TOKEN + "\u20ac", "[role=alert] >> text=outside ASCII"),
                            (TOKEN[::-1], "[role=alert] >> text=did not accept"), (TOKEN, "table.rows tbody tr")):
            tab.page.fill("input[type=password]", token)
            tab.page.keyboard.press("Enter")
            tab.page.wait_for_selector(then)
        check("the token opens the page", True)


def main():
    chromium, binary, folder, hostile_folder, screenshots = sys.argv[1:]
    os.makedirs(screenshots, exist_ok=True)
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        with weather.Server(binary, folder) as server:
            look_at_views(browser, server, folder, screenshots)
            use_the_table(browser, server)
            type_and_go_back(browser, server)
            compare_other_rows(browser, server)
            walk_with_the_keyboard(browser, server)
            watch_production(browser, server, binary, folder)
        with weather.Server(binary, hostile_folder) as server:
            watch_it_grow(browser, server, hostile_folder)
            attack(browser, server, binary, hostile_folder)
        ask_for_the_token(browser, binary, folder)
        browser.close()
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
