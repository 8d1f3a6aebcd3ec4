"""SQL that takes its time: as long as is asked for, or until somebody stops it."""

from calls import ended, info, sql

ROWS_TRIED = 30_000_000
# Runs for hours if nobody cancels it, and shows nothing before its end.
ENDLESS = ("select count(*) as n from range(2000000) a, range(2000000) b "
           "where (xor(a.range, b.range)) % 7 = 3")
# Gives rows at once and goes on for minutes.
DRIP = ("select range as i, sha256(repeat('sheaf', 400) || range::varchar) as h "
        "from range(100000000)")


def endless(mark):
    """ENDLESS with an identity of its own."""
    return f"{ENDLESS} and {int(mark)} = {int(mark)}"


def drip(mark):
    """DRIP with an identity of its own."""
    return f"{DRIP} where {int(mark)} = {int(mark)}"


def counting(rows, mark=0):
    """Counts the pairs of `rows` by a condition that no optimiser knows; one row."""
    other = 10_000
    return (f"select count(*) as n from range({rows // other}) a, range({other}) b "
            f"where (a.range * 31 + b.range) % 7 <> 3 and {int(mark)} = {int(mark)}")


class Slow:
    """Knows how many rows this machine counts in a second."""

    def __init__(self, client):
        self.client, self.marks = client, 0
        self.rows_per_s = 0.0
        rows = ROWS_TRIED
        while True:
            seconds = self.measure(rows)
            self.rows_per_s = rows / seconds
            if seconds > 0.5:
                break
            rows *= 4

    def measure(self, rows):
        self.marks += 1
        answer = info(self.client, sql(counting(rows, 1_000_000 + self.marks)))
        return max(ended(self.client, answer)["ms"]["run"], 1) / 1000

    def sql(self, seconds):
        """A statement that takes about so long when it runs alone, another each time."""
        self.marks += 1
        return counting(int(self.rows_per_s * seconds), self.marks)

    def sql_of_at_least(self, seconds):
        """A statement that takes so long at least, though this machine has become faster."""
        rows = int(self.rows_per_s * seconds)
        while True:
            taken = self.measure(rows)
            if taken >= seconds:
                self.marks += 1
                return counting(rows, self.marks)
            rows = int(rows * max(1.2, 1.1 * seconds / taken))
