// PLAN  the defaults are the documented ones and good · later sources win, origins are known
//       · every mistake is collected with its place, type and nearest key · limits hold in every
//       source · a listener that others can reach is refused · what is shown reads back the same
//       · modules have sections of their own
//       · secrets and passwords are not shown · the table is consistent
#include "sheaf/wire/settings/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/settings/keys.h"

namespace sheaf::settings {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Sources FromFile(std::string text) {
  Sources sources;
  sources.file = {"node.toml", std::move(text)};
  return sources;
}
Sources FromFlags(std::vector<std::string> flags) {
  Sources sources;
  sources.flags = std::move(flags);
  return sources;
}
// The problems' texts.
std::vector<std::string> Problems(const Sources& sources) {
  const Config config = Config::Read(sources);
  std::vector<std::string> texts;
  for (const auto& problem : config.problems()) texts.push_back(problem.Text());
  return texts;
}

TEST(SettingsTest, TheDefaultsAreTheDocumentedOnesAndGood) {
  Sources sources;
  sources.machine = {.hostname = "box", .memory = 8_GiB, .cores = 4};
  const Config config = Config::Read(sources);
  EXPECT_TRUE(config.Check().ok());
  const Settings& s = config.settings();
  EXPECT_EQ(s.node.name, "box");
  EXPECT_EQ(s.state.dir, "./sheaf-state");
  EXPECT_EQ(s.flight.listen.Text(), "127.0.0.1:8815");
  EXPECT_FALSE(s.flight.insecure);
  EXPECT_EQ(s.flight.receive_bytes_max, 512_MiB);
  EXPECT_EQ(s.flight.idle_read_s, seconds(300));
  EXPECT_EQ(s.flight.keepalive_ms, milliseconds(2000));
  EXPECT_TRUE(s.http.enabled);
  EXPECT_EQ(s.http.listen.Text(), "127.0.0.1:8080");
  EXPECT_THAT(s.files.roots, IsEmpty());
  EXPECT_EQ(s.memory.budget, 4_GiB);
  EXPECT_EQ(s.memory.store_budget, 2_GiB);
  EXPECT_EQ(s.store.default_tier, Tier::kDisk);
  EXPECT_TRUE(s.store.spill);
  EXPECT_EQ(s.tasks.running_max, 8);
  EXPECT_EQ(s.tasks.queue_max, 256);
  EXPECT_EQ(s.sql.memory, 1_GiB);
  EXPECT_EQ(s.sql.threads, 4);
  EXPECT_EQ(s.log.format, LogFormat::kText);
  EXPECT_EQ(s.log.level, observe::Level::kInfo);
  EXPECT_EQ(s.stop.drain_s, seconds(10));
  EXPECT_THAT(s.modules.enabled, ElementsAre("files", "sql"));
}

TEST(SettingsTest, EveryTypeIsReadFromToml) {
  const Config config = Config::Read(FromFile(R"(
[node]
name = "first"
[flight]
listen = "[::1]:0"
streams_max = 16
keepalive_ms = 500
idle_read_s = 7
receive_bytes_max = 1048576
[files]
roots = ["/data", "/more, with a comma"]
[memory]
budget = "1.5GiB"
[store]
default_tier = "memory"
spill = false
[log]
format = "json"
level = "error"
)"));
  ASSERT_TRUE(config.Check().ok()) << config.Check().error().message;
  const Settings& s = config.settings();
  EXPECT_EQ(s.node.name, "first");
  EXPECT_EQ(s.flight.listen.host, "::1");
  EXPECT_EQ(s.flight.streams_max, 16);
  EXPECT_EQ(s.flight.keepalive_ms, milliseconds(500));
  EXPECT_EQ(s.flight.idle_read_s, seconds(7));
  EXPECT_EQ(s.flight.receive_bytes_max, 1_MiB);
  EXPECT_THAT(s.files.roots, ElementsAre("/data", "/more, with a comma"));
  EXPECT_EQ(s.memory.budget, 1536_MiB);
  EXPECT_EQ(s.memory.store_budget, 768_MiB);
  EXPECT_EQ(s.store.default_tier, Tier::kMemory);
  EXPECT_FALSE(s.store.spill);
  EXPECT_EQ(s.log.format, LogFormat::kJson);
  EXPECT_EQ(s.log.level, observe::Level::kError);
}

TEST(SettingsTest, EveryTypeIsReadFromFlagsAndEnvironment) {
  Sources sources = FromFlags({"flight.listen=127.0.0.1:1", "flight.streams_max=3",
                               "files.roots=/a, /b", "memory.budget=64MiB", "store.spill=false",
                               "log.format=json", "node.name=a=b", "modules.enabled="});
  sources.environment = {{"SHEAF_STOP_DRAIN_S", "3"}, {"SHEAF_HTTP_ENABLED", "false"}};
  const Config config = Config::Read(sources);
  ASSERT_TRUE(config.Check().ok()) << config.Check().error().message;
  const Settings& s = config.settings();
  EXPECT_EQ(s.flight.listen.port, 1);
  EXPECT_EQ(s.flight.streams_max, 3);
  EXPECT_THAT(s.files.roots, ElementsAre("/a", "/b"));
  EXPECT_EQ(s.memory.budget, 64_MiB);
  EXPECT_FALSE(s.store.spill);
  EXPECT_EQ(s.log.format, LogFormat::kJson);
  EXPECT_EQ(s.node.name, "a=b");
  EXPECT_THAT(s.modules.enabled, IsEmpty());
  EXPECT_EQ(s.stop.drain_s, seconds(3));
  EXPECT_FALSE(s.http.enabled);
}

TEST(SettingsTest, FlagsWinOverEnvironmentOverFileOverDefaults) {
  Sources sources = FromFile("[tasks]\nqueue_max = 1\nthreads_max = 2\nretain_s = 3\n");
  sources.environment = {{"SHEAF_TASKS_QUEUE_MAX", "10"}, {"SHEAF_TASKS_THREADS_MAX", "20"}};
  sources.flags = {"tasks.queue_max=100", "tasks.queue_max=101"};
  const Config config = Config::Read(sources);
  EXPECT_EQ(config.settings().tasks.queue_max, 101);
  EXPECT_EQ(config.settings().tasks.threads_max, 20);
  EXPECT_EQ(config.settings().tasks.retain_s, seconds(3));
  EXPECT_EQ(config.Origin("tasks.queue_max"), "--set");
  EXPECT_EQ(config.Origin("tasks.threads_max"), "SHEAF_TASKS_THREADS_MAX");
  EXPECT_EQ(config.Origin("tasks.retain_s"), "node.toml:4");
  EXPECT_EQ(config.Origin("tasks.running_max"), "default");
  EXPECT_EQ(config.Origin("no.key"), "");
}

TEST(SettingsTest, AnUnknownKeyIsNamedWithItsPlaceAndTheNearestOne) {
  EXPECT_THAT(Problems(FromFile("[flight]\n  lisen = \"x\"\n")),
              ElementsAre("node.toml:2:3: unknown key 'flight.lisen'; did you mean "
                          "'flight.listen'?"));
  EXPECT_THAT(Problems(FromFile("[fligt]\nlisten = \"x\"\n")),
              ElementsAre(HasSubstr("unknown section 'fligt'; did you mean 'flight'?")));
  EXPECT_THAT(Problems(FromFile("flight = 3\n")),
              ElementsAre("node.toml:1:1: 'flight' is a section: write [flight]"));
  EXPECT_THAT(Problems(FromFile("streams_max = 3\n")),
              ElementsAre(HasSubstr("unknown key 'streams_max'")));
  EXPECT_THAT(Problems(FromFile("[flight.listen]\nhost = \"x\"\n")),
              ElementsAre(HasSubstr("flight.listen: expected host:port, found a table")));
  EXPECT_THAT(Problems(FromFlags({"log.lvel=info"})),
              ElementsAre("--set log.lvel: unknown key 'log.lvel'; did you mean 'log.level'?"));
  EXPECT_THAT(Problems(FromFlags({"log.zzzzzzzzz=info"})),
              ElementsAre(HasSubstr("known: log.format, log.level")));
}

TEST(SettingsTest, OnlyVariablesOfOurSectionsAreLookedAt) {
  Sources sources;
  sources.environment = {{"SHEAF_BIN", "x"}, {"SHEAF_SEED", "1"},
                         {"PATH", "y"},      {"SHEAF_LOG_LEVEL", ""},
                         {"SHEAF_", "z"},    {"SHEAF_LOG_LEVLE", "debug"}};
  EXPECT_THAT(Problems(sources), ElementsAre("SHEAF_LOG_LEVLE: no such setting; did you mean "
                                             "'SHEAF_LOG_LEVEL'?"));
}

TEST(SettingsTest, AWrongTypeOrValueSaysWhatWasExpectedAndFound) {
  const std::pair<const char*, const char*> cases[] = {
      {"[flight]\nstreams_max = \"16\"", "streams_max: expected an integer from 1 to 1000000"},
      {"[flight]\nstreams_max = 0", "found 0"},
      {"[flight]\nstreams_max = 1.5", "found a floating-point number"},
      {"[flight]\nstreams_max = [1]", "found a list of other things than strings"},
      {"[flight]\ninsecure = \"yes\"", "flight.insecure: expected true or false"},
      {"[flight]\nlisten = 8815", "flight.listen: expected host:port, found 8815"},
      {"[flight]\nlisten = \":1\"", "no host; 0.0.0.0 or [::] listens everywhere"},
      {"[flight]\nreceive_bytes_max = \"1KiB\"", "at least 64KiB"},
      {"[flight]\nreceive_bytes_max = \"4GiB\"", "at most 2147483647"},
      {"[memory]\nbudget = \"lots\"", "memory.budget: expected a size like \"256MiB\""},
      {"[memory]\nbudget = -1", "found -1"},
      {"[store]\ndefault_tier = \"dsk\"", "unknown value 'dsk'; did you mean 'disk'?"},
      {"[files]\nroots = \"/data\"", "files.roots: expected a list of strings, found the string"},
      {"[files]\nroots = [\"\"]", "an entry of the list is empty"},
      {"[modules]\nenabled = [\"sql\", \"sql\"]", "names a module twice"},
      {"[state]\ndir = \"\"", "state.dir: expected a directory"},
      {"[memory]\nbudget = \"1GiB\"\nstore_budget = \"2GiB\"", "is above memory.budget (1GiB)"},
      {"[http]\nlisten = \"127.0.0.1:8815\"", "is flight.listen too"},
  };
  for (const auto& [text, why] : cases) {
    EXPECT_THAT(Problems(FromFile(text)), ElementsAre(HasSubstr(why))) << text;
  }
  EXPECT_THAT(Problems(FromFlags({"tasks.queue_max=12x"})),
              ElementsAre("--set tasks.queue_max: tasks.queue_max: expected an integer from 1 to "
                          "1000000, found '12x'"));
  EXPECT_THAT(Problems(FromFlags({"tasks.queue_max", "=3"})).size(), 2u);
}

TEST(SettingsTest, AllProblemsAreToldAtOnceAndTheRestIsKept) {
  Sources sources = FromFile("[flight]\nlisen = 1\nstreams_max = 0\nidle_read_s = 5\n");
  sources.environment = {{"SHEAF_LOG_LEVEL", "loud"}};
  sources.flags = {"stop.drain_s=never"};
  const Config config = Config::Read(sources);
  EXPECT_EQ(config.problems().size(), 4u);
  EXPECT_EQ(config.settings().flight.idle_read_s, seconds(5));
  EXPECT_EQ(config.settings().flight.streams_max, 4096);
  const Status check = config.Check();
  ASSERT_FALSE(check.ok());
  EXPECT_EQ(check.error().kind, Kind::kInvalid);
  EXPECT_EQ(std::count(check.error().message.begin(), check.error().message.end(), '\n'), 3);
  EXPECT_THAT(check.error().message, HasSubstr("node.toml:3:15: flight.streams_max: "));
}

TEST(SettingsTest, TextThatIsNotTomlIsNamedWithItsPlace) {
  const auto problems = Problems(FromFile("[flight]\nlisten = \n"));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0], HasSubstr("node.toml:2:"));
  EXPECT_EQ(Problems(FromFile("[a]\nx = 1\nx = 2\n")).size(), 1u);
  EXPECT_EQ(Problems(FromFile("\xff\xfe")).size(), 1u);
}

TEST(SettingsTest, AListenerThatOthersCanReachNeedsToSayInsecure) {
  const auto problems = Problems(FromFlags({"flight.listen=0.0.0.0:8815"}));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0], HasSubstr("--set: flight.listen: '0.0.0.0:8815' can be reached"));
  EXPECT_THAT(problems[0], HasSubstr("no TLS"));
  EXPECT_THAT(problems[0], HasSubstr("flight.insecure = true"));
  EXPECT_THAT(Problems(FromFlags({"flight.listen=0.0.0.0:8815", "flight.insecure=true"})),
              IsEmpty());
  EXPECT_THAT(Problems(FromFlags({"http.listen=[::]:80", "flight.insecure=true"})),
              ElementsAre(HasSubstr("http.insecure = true")));
  EXPECT_THAT(Problems(FromFlags({"http.listen=[::]:80", "http.enabled=false"})), IsEmpty());
}

TEST(SettingsTest, TwoListenersMayBothTakeAnyFreePort) {
  EXPECT_THAT(Problems(FromFlags({"http.listen=127.0.0.1:0", "flight.listen=127.0.0.1:0"})),
              IsEmpty());
}

TEST(SettingsTest, AnEnabledModuleMayHaveASectionOfItsOwn) {
  Sources sources = FromFile(R"(
[modules]
enabled = ["sql", "upper"]
[upper]
locale = "tr"
loud = true
depth = 3
words = ["a", "b"]
my_token = "t0p"
)");
  sources.flags = {"upper.depth=4"};
  const Config config = Config::Read(sources);
  ASSERT_TRUE(config.Check().ok()) << config.Check().error().message;
  EXPECT_EQ(config.Value("upper.locale"), Json("tr"));
  EXPECT_EQ(config.Value("upper.depth"), Json("4"));
  EXPECT_EQ(config.Value("upper.loud"), Json(true));
  EXPECT_EQ(config.Value("upper.words"), Json({"a", "b"}));
  EXPECT_EQ(config.Value("upper.none"), std::nullopt);
  EXPECT_EQ(config.Origin("upper.loud"), "node.toml:6");
  EXPECT_THAT(config.Show(), HasSubstr("[upper]\ndepth = \"4\"  # --set\n"));
  EXPECT_THAT(config.Show(), HasSubstr("words = [\"a\", \"b\"]"));
  EXPECT_THAT(config.Show(), Not(HasSubstr("t0p")));
}

TEST(ShowTest, SectionsOfModulesReadBackWhateverTheirNames) {
  const auto* text = "[modules]\nenabled = [\"up per\"]\n[\"up per\"]\n\"a b\" = \"#\"\n";
  const Config config = Config::Read(FromFile(text));
  ASSERT_TRUE(config.Check().ok()) << config.Check().error().message;
  const Config again = Config::Read(FromFile(config.Show()));
  ASSERT_TRUE(again.Check().ok()) << again.Check().error().message;
  EXPECT_EQ(again.Value("up per.a b"), Json("#"));
}

TEST(SettingsTest, ASectionOfAModuleThatIsNotEnabledIsAMistake) {
  EXPECT_THAT(Problems(FromFile("[upper]\nlocale = \"tr\"\nx = 1\n")),
              ElementsAre(HasSubstr("unknown section 'upper'")));
  EXPECT_THAT(Problems(FromFlags({"upper.locale=tr"})),
              ElementsAre(HasSubstr("unknown key 'upper.locale'")));
  EXPECT_THAT(Problems(FromFile("[modules]\nenabled = [\"upper\"]\n[upper]\nx = 1.5\n")),
              ElementsAre(HasSubstr("upper.x: expected a string, an integer")));
}

TEST(SettingsTest, ABackEndOfPersistenceIsOneOfFive) {
  EXPECT_EQ(Config::Read({}).settings().persistence.backend, "sqlite:sheaf.db");
  EXPECT_EQ(Config::Read({}).settings().persistence.spool_bytes_max, Bytes{256 << 20});
  for (const char* good :
       {"none", "memory:", "sqlite:a/b.db", "file:d", "postgresql://h/d", "postgresql:local"}) {
    EXPECT_TRUE(Problems(FromFlags({std::string("persistence.backend=") + good})).empty()) << good;
  }
  for (const char* bad : {"sqlite", "sqlite:", "file:", "mysql://u:secret@h/d", "None",
                          "postgresql:", "postgresql:other"}) {
    EXPECT_THAT(Problems(FromFlags({std::string("persistence.backend=") + bad})),
                ElementsAre(AllOf(HasSubstr("--set: persistence.backend: expected sqlite:FILE"),
                                  Not(HasSubstr("secret")))))
        << bad;
  }
}

TEST(SettingsTest, ValuesAreGivenToModulesAsJson) {
  const Config config = Config::Read(FromFlags({"files.roots=/a,/b", "sql.memory=1MiB"}));
  EXPECT_EQ(config.Value("files.roots"), Json({"/a", "/b"}));
  EXPECT_EQ(config.Value("sql.memory"), Json(1 << 20));
  EXPECT_EQ(config.Value("sql.rows_max"), Json(0));
  EXPECT_EQ(config.Value("store.spill"), Json(true));
  EXPECT_EQ(config.Value("store.default_tier"), Json("disk"));
  EXPECT_EQ(config.Value("stop.drain_s"), Json(10));
  EXPECT_EQ(config.Value("http.listen"), Json("127.0.0.1:8080"));
  EXPECT_EQ(config.Value("no.key"), std::nullopt);
}

TEST(ShowTest, ASecretKeyIsNeitherShownNorRepeatedInAnError) {
  // There is no such key yet; the promise is kept for the first one.
  Key key = *FindKey("log.level");
  key.secrecy = Secrecy::kSecret;
  EXPECT_THAT(ShowLine(key, Settings(), "default"), Not(HasSubstr("info")));
  EXPECT_THAT(ShowLine(key, Settings(), "default"), HasSubstr("# level is set, not shown"));
  const auto wrong = Assign(key, {Raw::Form::kBare, "hunter2", {}}, *std::make_unique<Settings>());
  EXPECT_THAT(*wrong, Not(HasSubstr("hunter2")));
}

TEST(ShowTest, ReadsBackToTheSameSettings) {
  Sources sources = FromFlags({"node.name=quote \" slash \\ tab \t é", "memory.budget=1234567891",
                               "files.roots=/a,/b", "log.level=debug", "store.default_tier=object",
                               "flight.listen=[::1]:9", "sql.rows_max=5", "store.spill=false"});
  const Config config = Config::Read(sources);
  ASSERT_TRUE(config.Check().ok()) << config.Check().error().message;
  const std::string shown = config.Show();
  const Config again = Config::Read(FromFile(shown));
  ASSERT_TRUE(again.Check().ok()) << again.Check().error().message << shown;
  for (const Key& key : Keys()) {
    EXPECT_EQ(Print(key, again.settings()), Print(key, config.settings())) << key.name;
    EXPECT_THAT(again.Origin(key.name), HasSubstr("node.toml:")) << key.name;
  }
  EXPECT_EQ(again.settings().memory.budget.count, 1234567891);
}

TEST(ShowTest, SaysHelpAndOrigin) {
  const std::string shown = Config::Read(FromFlags({"stop.drain_s=3"})).Show();
  EXPECT_THAT(shown, HasSubstr("drain_s = 3  # --set\n"));
  EXPECT_THAT(shown, HasSubstr("listen = \"127.0.0.1:8815\"  # default\n"));
  EXPECT_THAT(shown, HasSubstr("# All bytes of messages, tasks and cached flights together. "
                               "Default: half of the machine's memory.\n"));
}

TEST(ShowTest, PasswordsInsideUrisAreNotShown) {
  const Config config = Config::Read(FromFlags({"files.roots=s3://me:hunter2@bucket/x,/plain"}));
  EXPECT_EQ(config.settings().files.roots.front(), "s3://me:hunter2@bucket/x");
  EXPECT_THAT(config.Show(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(config.Show(), HasSubstr("s3://me:***@bucket/x"));
  EXPECT_THAT(Problems(FromFlags({"log.level=http://u:hunter2@h"})).front(),
              Not(HasSubstr("hunter2")));
}

TEST(ShowTest, UrisWithoutPasswordsStayAsTheyAre) {
  for (const auto* text :
       {"s3://bucket/x:y@z", "http://host:80/", "/a:b@c", "a://", "://@:", "file:///x"}) {
    EXPECT_EQ(WithoutPasswords(text), text);
  }
  EXPECT_EQ(WithoutPasswords("a://u:p@h/ b://u:q:r@h"), "a://u:***@h/ b://u:***@h");
}

TEST(KeysTest, NamesAreUniqueInTheirSectionsAndAsVariables) {
  std::set<std::string> names, variables;
  for (const Key& key : Keys()) {
    EXPECT_TRUE(names.insert(std::string(key.name)).second) << key.name;
    EXPECT_TRUE(variables.insert(key.Environment()).second) << key.name;
    EXPECT_EQ(std::count(key.name.begin(), key.name.end(), '.'), 1) << key.name;
    EXPECT_THAT(std::string(key.help), ::testing::EndsWith("."));
    EXPECT_EQ(FindKey(key.name), &key);
  }
  const auto sections = Sections();
  EXPECT_EQ(std::set<std::string_view>(sections.begin(), sections.end()).size(), sections.size());
  EXPECT_EQ(FindKey("flight.listen")->Environment(), "SHEAF_FLIGHT_LISTEN");
}

TEST(KeysTest, EveryFieldKeepsWhatItIsGiven) {
  // Two keys of one field would show here: each is changed alone, and only it may change.
  const Settings before = Config::Read({}).settings();
  const std::map<std::string, std::string> other = {
      {"node.name", "other"},           {"state.dir", "other"},    {"flight.listen", "[::1]:7"},
      {"http.listen", "[::1]:9"},       {"files.roots", "/other"}, {"modules.enabled", "files"},
      {"store.default_tier", "object"}, {"log.format", "json"},    {"log.level", "error"}};
  for (const Key& key : Keys()) {
    const std::string now = Print(key, before);
    const auto at = other.find(std::string(key.name));
    const std::string value = at != other.end() ? at->second
                              : now == "true"   ? "false"
                              : now == "false"  ? "true"
                                                : "123456";
    Settings changed = before;
    const auto wrong = Assign(key, {Raw::Form::kBare, value, {}}, changed);
    const auto small = wrong ? Assign(key, {Raw::Form::kBare, "77", {}}, changed) : wrong;
    ASSERT_FALSE(small.has_value()) << key.name << ": " << *small;
    for (const Key& seen : Keys()) {
      EXPECT_EQ(Print(seen, changed) != Print(seen, before), &seen == &key)
          << key.name << " and " << seen.name;
    }
  }
}

TEST(KeysTest, TheReferenceNamesEveryKey) {
  const std::string reference = Reference();
  for (const Key& key : Keys()) {
    EXPECT_THAT(reference, HasSubstr("| `" + std::string(key.name) + "` | "));
  }
}

}  // namespace
}  // namespace sheaf::settings
