"""Run by bench/statistics inside a Python with SciPy: every figure twice, ours and by the definition."""
import json
import math
import platform
import subprocess
import sys

import numpy
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

ALPHA, TOLERANCE = 0.05, 1e-6


class Probe:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, what, rows):
        rows = [[float(x) if isinstance(x, float) else int(x) for x in row] for row in rows]
        self.process.stdin.write(json.dumps({"do": what, "rows": rows}) + "\n")
        self.process.stdin.flush()
        return numpy.array(json.loads(self.process.stdout.readline()), dtype=float)


def worst(ours, theirs):
    return float(numpy.abs(numpy.asarray(ours) - numpy.asarray(theirs)).max())


# Wilson: the shares p that a score test at z does not reject.
def wilson_by_inversion(k, n, z):
    share = k / n

    def excess(p):
        return (share - p) ** 2 - z * z * p * (1 - p) / n
    inside = 1e-12  # at a share of 0 or 1 the excess is 0 there as well
    low = 0.0 if k == 0 else optimize.brentq(excess, 0, min(share, 1 - inside), xtol=1e-14)
    high = 1.0 if k == n else optimize.brentq(excess, max(share, inside), 1, xtol=1e-14)
    return low, high


def check_wilson(probe):
    rows = [(k, n, z) for n in (1, 2, 5, 17, 60, 400) for k in sorted({0, 1, n // 3, n // 2, n - 1, n}) if k <= n
            for z in (1.6448536269514722, 1.959963984540054)]
    ours = probe("wilson", rows)
    inverted = worst(ours, [wilson_by_inversion(*row) for row in rows])
    peers = [proportion_confint(k, n, alpha=2 * stats.norm.sf(z), method="wilson") for k, n, z in rows]
    return inverted, worst(ours, peers)


def mcnemar_by_enumeration(b, c):
    n = b + c
    observed = min(b, c)
    total = sum(math.comb(n, i) for i in range(n + 1) if min(i, n - i) <= observed)
    return min(1.0, total / 2 ** n)


def check_mcnemar(probe):
    rows = [(b, c) for b in range(41) for c in range(41)]
    ours = probe("mcnemar", rows)[:, 0]
    summed = worst(ours, [mcnemar_by_enumeration(*row) for row in rows])
    peers = [mcnemar([[0, b], [c, 0]], exact=True).pvalue if b + c else 1.0 for b, c in rows]
    return summed, worst(ours, peers)


# Newcombe 1998, method 10: two Wilson intervals, joined with the correlation of the pairs.
def newcombe(both, only_first, only_second, neither, z):
    n = both + only_first + only_second + neither
    first, second = both + only_first, both + only_second
    a, b, c, d = both, only_first, only_second, neither
    product = (a + b) * (c + d) * (a + c) * (b + d)
    if product == 0:
        phi = 0.0
    else:
        numerator = a * d - b * c
        if numerator > n / 2:
            numerator -= n / 2
        elif numerator >= 0:
            numerator = 0
        phi = numerator / math.sqrt(product)
    share1, share2 = first / n, second / n
    low1, high1 = wilson_by_inversion(first, n, z)
    low2, high2 = wilson_by_inversion(second, n, z)

    def radius(x, y):
        return math.sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))
    difference = share2 - share1
    return (difference - radius(share2 - low2, high1 - share1), difference + radius(high2 - share2, share1 - low1))


# Tango 1998: the restricted likelihood is maximised by search, not by its formula.
def tango_statistic(table, delta):
    _, only_first, only_second, _ = table
    n = sum(table)
    same = n - only_first - only_second

    def unlikely(q):  # q: probability of only_first under a difference of delta
        parts = ((only_first, q), (only_second, q + delta), (same, 1 - 2 * q - delta))
        return -sum(k * math.log(max(p, 1e-300)) for k, p in parts if k)
    low, high = max(0.0, -delta), (1 - delta) / 2
    grid = numpy.linspace(low, high, 401)
    at = int(numpy.argmin([unlikely(q) for q in grid]))
    inside = optimize.minimize_scalar(unlikely, bounds=(grid[max(0, at - 1)], grid[min(400, at + 1)]), method="bounded",
                                      options={"xatol": 1e-13})
    q = min((inside.x, low, high), key=unlikely)
    variance = n * (2 * q + delta - delta * delta)
    return (only_second - only_first - n * delta) / math.sqrt(variance) if variance > 1e-12 else 0.0


def check_paired(probe, random, count):
    tables = [tuple(int(x) for x in random.multinomial(n, random.dirichlet((4, 1, 1, 2)))) for n in (10, 40, 200)
              for _ in range(count)] + [(10, 0, 0, 0), (0, 0, 0, 7), (9, 1, 0, 0), (0, 0, 5, 0)]
    z = 1.959963984540054
    ours = probe("paired", [(*table, z) for table in tables])
    joined = worst(ours, [newcombe(*table, z) for table in tables])
    deltas = (-0.1, -0.02, 0.03)
    rows = [(*table, delta) for table in tables for delta in deltas]
    statistic = worst(probe("tango_statistic", rows)[:, 0], [tango_statistic(row[:4], row[4]) for row in rows])
    # An end of Tango's interval is where the statistic is z.
    ends = probe("tango", [(*table, z) for table in tables])
    checks = []
    for table, (low, high) in zip(tables, ends):
        checks += [(table, low, z)] if low > -1 + 1e-9 else []
        checks += [(table, high, -z)] if high < 1 - 1e-9 else []
    at_ends = probe("tango_statistic", [(*table, float(end)) for table, end, _ in checks])[:, 0]
    near = 1e-7
    slope = probe("tango_statistic", [(*table, float(end) + near) for table, end, _ in checks])[:, 0] - at_ends
    off = [abs((at - want) / (s / near)) if abs(s) > 1e-12 else 0.0
           for at, want, s in zip(at_ends, (c[2] for c in checks), slope)]
    return joined, statistic, max(off)


# Every table at least as favourable, its probability at the worst nuisance parameter.
def non_inferiority_by_enumeration(table, margin, statistics):
    n = sum(table)
    observed = statistics[(table[1], table[2])]
    cells = [(b, c) for b in range(n + 1) for c in range(n + 1 - b) if statistics[(b, c)] >= observed - 1e-9]
    b = numpy.array([x for x, _ in cells])
    c = numpy.array([y for _, y in cells])
    coefficient = (scipy.special.gammaln(n + 1) - scipy.special.gammaln(b + 1) - scipy.special.gammaln(c + 1)
                   - scipy.special.gammaln(n - b - c + 1))

    def p(q):  # q: only the second is right; q + margin: only the first
        first, second, rest = q + margin, q, 1 - 2 * q - margin
        with numpy.errstate(divide="ignore", invalid="ignore"):
            logs = coefficient + scipy.special.xlogy(b, first) + scipy.special.xlogy(c, second) + scipy.special.xlogy(
                n - b - c, rest)
        return float(numpy.exp(logs).sum())
    grid = numpy.linspace(0, (1 - margin) / 2, 801)
    values = [p(q) for q in grid]
    at = int(numpy.argmax(values))
    found = optimize.minimize_scalar(lambda q: -p(q), bounds=(grid[max(0, at - 1)], grid[min(800, at + 1)]),
                                     method="bounded", options={"xatol": 1e-12})
    return max(max(values), -found.fun)


def check_non_inferiority(probe, sizes):
    off = 0.0
    for n, margin in sizes:
        cells = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
        rows = [(n - b - c, b, c, 0, -margin) for b, c in cells]
        statistics = dict(zip(cells, probe("tango_statistic", rows)[:, 0]))
        tables = [(n - b - c, b, c, 0) for b, c in cells if b + c <= n // 2][::max(1, n // 8)]
        ours = probe("non_inferiority", [(*table, margin) for table in tables])[:, 0]
        off = max(off, worst(ours, [non_inferiority_by_enumeration(t, margin, statistics) for t in tables]))
    return off


def rejections(probe, what, draws, build, alpha):
    """How many of the drawn tables a test rejects; each different one is asked once."""
    tables, counts = numpy.unique(draws, axis=0, return_counts=True)
    p = probe(what, [build(table) for table in tables])[:, 0]
    return int(counts[p <= alpha].sum())


def simulate(probe, random, repeats):
    """(name, error rate, excess over alpha in standard errors) at the border of each hypothesis."""
    error = math.sqrt(ALPHA * (1 - ALPHA) / repeats)
    rows = []
    for n in (60, 200, 400):
        for discordance in (0.03, 0.1, 0.3):
            shares = (1 - discordance, discordance / 2, discordance / 2)
            draws = random.multinomial(n, shares, size=repeats)
            rate = rejections(probe, "mcnemar", draws[:, 1:], tuple, ALPHA) / repeats
            rows.append((f"McNemar, n {n}, discordance {discordance}", rate, (rate - ALPHA) / error))
            for margin in (0.02, 0.05):
                if discordance < margin:
                    continue
                first, second = (discordance + margin) / 2, (discordance - margin) / 2
                draws = random.multinomial(n, (1 - discordance, first, second), size=repeats)
                rate = rejections(probe, "non_inferiority", draws,
                                  lambda t, m=margin: (int(t[0]), int(t[1]), int(t[2]), 0, m), ALPHA) / repeats
                rows.append((f"non-inferiority, n {n}, discordance {discordance}, margin {margin}", rate,
                             (rate - ALPHA) / error))
    return rows


def coverage(probe, random, repeats):
    """The share of intervals that hold the truth, the mean over several truths; these are approximate by design."""
    held = {"wilson": [], "paired": [], "tango": []}
    for n in (60, 200):
        for share in (0.5, 0.9, 0.97):
            k = random.binomial(n, share, size=repeats)
            low, high = probe("wilson", [(int(x), n, 1.959963984540054) for x in k]).T
            held["wilson"].append(float(((low <= share) & (share <= high)).mean()))
        for shares in ((0.8, 0.05, 0.05, 0.1), (0.85, 0.02, 0.08, 0.05)):
            truth = shares[2] - shares[1]
            draws = random.multinomial(n, shares, size=repeats)
            for what in ("paired", "tango"):
                low, high = probe(what, [(*map(int, t), 1.959963984540054) for t in draws]).T
                held[what].append(float(((low <= truth) & (truth <= high)).mean()))
    return {what: sum(values) / len(values) for what, values in held.items()}


def main():
    probe, random = Probe(sys.argv[1]), numpy.random.default_rng(int(sys.argv[2]))
    full = sys.argv[3] == "full"
    print(f"{platform.platform()}; scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, "
          f"numpy {numpy.__version__}; seed {sys.argv[2]}")
    wilson, wilson_peer = check_wilson(probe)
    mcnemar_sum, mcnemar_peer = check_mcnemar(probe)
    joined, statistic, ends = check_paired(probe, random, 200 if full else 25)
    sizes = [(12, 0.1), (25, 0.05), (40, 0.02)] + ([(80, 0.02), (120, 0.05)] if full else [])
    enumerated = check_non_inferiority(probe, sizes)
    quantiles = [0.001, 0.025, 0.05, 0.5, 0.8, 0.95, 0.975, 0.999]
    quantile = worst(probe("quantile", [(q,) for q in quantiles])[:, 0], stats.norm.ppf(quantiles))
    figures = {"wilson_max_diff": wilson, "wilson_statsmodels_max_diff": wilson_peer,
               "mcnemar_max_diff": mcnemar_sum, "mcnemar_statsmodels_max_diff": mcnemar_peer,
               "paired_max_diff": joined, "tango_statistic_max_diff": statistic, "tango_max_diff": ends,
               "noninferiority_max_diff": enumerated, "quantile_scipy_max_diff": quantile}
    print(f"{'largest difference':<44} of at most {TOLERANCE:g}")
    for name, value in figures.items():
        print(f"  {name:<42} {value:.2e}  {'ok' if value <= TOLERANCE else 'FAIL'}")
    good = all(value <= TOLERANCE for value in figures.values())
    repeats = 1_000_000 if full else 20_000
    rows = simulate(probe, random, repeats)
    print(f"error rates at the border, alpha {ALPHA}, {repeats} simulations each")
    for name, rate, excess in rows:
        print(f"  {name:<58} {rate:.4f}  {excess:+.1f} standard errors")
    held = coverage(probe, random, 2_000)
    print("intervals of 95 % that hold the truth: " + ", ".join(f"{k} {v:.3f}" for k, v in held.items()))
    figures["error_rate_max"] = max(rate for _, rate, _ in rows)
    figures["excess_se"] = max(excess for _, _, excess in rows)
    figures["max_diff"] = max(value for name, value in figures.items() if name.endswith("_diff"))
    figures.update({f"coverage_{k}": v for k, v in held.items()})
    print(json.dumps({k: float(f"{v:.6g}") for k, v in figures.items()}))
    return 0 if good and figures["excess_se"] <= 3 else 1


if __name__ == "__main__":
    sys.exit(main())
