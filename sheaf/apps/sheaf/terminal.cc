#include "sheaf/apps/sheaf/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {

bool OutputIsTerminal() { return ::isatty(STDOUT_FILENO) != 0; }
bool ErrorIsTerminal() { return ::isatty(STDERR_FILENO) != 0; }

size_t TerminalWidth() {
  if (!OutputIsTerminal()) return 0;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

ProgressLine::ProgressLine(Clock& clock) : clock_(clock), begun_(clock.Now()) {}

void ProgressLine::Show(const Json& progress) {
  if (!progress.is_object()) return;
  std::string text = progress.value("state", "running");
  if (const auto part = progress.find("progress");
      part != progress.end() && part->is_number() && part->get<double>() > 0) {
    text += " " + std::to_string(std::lround(part->get<double>() * 100)) + "%";
  }
  Write(text + ", " + Seconds(clock_.Now() - begun_) + " (Ctrl-C cancels)");
}

bool ProgressLine::IsTime() const {
  const Instant now = clock_.Now();
  return now - begun_ >= std::chrono::seconds(1) &&  // Short ones need no news.
         now - shown_ >= std::chrono::milliseconds(200);
}

void ProgressLine::ShowRows(int64_t rows) {
  if (!IsTime()) return;
  Write(Grouped(rows) + " rows, " + Seconds(clock_.Now() - begun_));
}

void ProgressLine::ShowDoing(std::string_view what, int64_t done, int64_t total) {
  if (!IsTime()) return;
  const std::string of = total > 0 ? " of " + Grouped(total) : "";
  Write(std::string(what) + " " + Grouped(done) + of + ", " + Seconds(clock_.Now() - begun_));
}

void ProgressLine::Write(const std::string& text) {
  if (!ErrorIsTerminal()) return;
  shown_ = clock_.Now();
  visible_ = true;
  std::fprintf(stderr, "\r\x1b[K%s", Printable(text).c_str());
  std::fflush(stderr);
}

void ProgressLine::Clear() {
  if (!visible_) return;
  visible_ = false;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

}  // namespace sheaf::app
