"""Several trainers in turn on the same examples, so that whatever else the machine does hits all alike.

    race = Race({"ours": step_of_ours, "usual": step_of_peft}, say)
    race.run(rounds=5)
    race.ratio("ours", "usual")      # the median over rounds
"""
import statistics


class Race:
    """`runners`: {name: function that does one step and answers {"tokens", "milliseconds", ...}}."""

    def __init__(self, runners, say):
        self.runners, self.say = runners, say
        self.speeds = {name: [] for name in runners}
        self.cpu_speeds = {name: [] for name in runners}
        self.last = {}

    def run(self, rounds, warm=True):
        if warm:
            for runner in self.runners.values():
                runner()
        names = list(self.runners)
        for number in range(rounds):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                step = self.runners[name]()
                self.last[name] = step
                self.speeds[name].append(step["tokens"] / step["milliseconds"] * 1000)
                self.cpu_speeds[name].append(step["tokens"] / step["cpu_ms"] * 1000)
            self.say(f"  {number + 1:>3}  " + "  ".join(
                f"{name} {self.speeds[name][-1]:.0f}" for name in names))

    def speed(self, name):
        return statistics.median(self.speeds[name])

    def cpu_speed(self, name):
        """Tokens per second of one core's time: less moved by what else runs."""
        return statistics.median(self.cpu_speeds[name])

    def ratio(self, ours, theirs):
        return statistics.median(a / b for a, b in zip(self.speeds[ours], self.speeds[theirs]))
