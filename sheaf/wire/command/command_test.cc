// PLAN  the example of the contract parses and prints back · every key is checked, the place and
//       the nearest word are named · depth and count are limited · options of the outermost only
//       · retain_s 0 with a sink anywhere is refused · one sink path with two identities is refused
//       · identity counts service, spec, inputs and pins and nothing else, and does not change
//       between versions · requests: command, task, path, sink
#include "sheaf/wire/command/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sheaf/wire/command/ticket.h"

namespace sheaf::command {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kExample = R"({
  "service": "sql",
  "inputs": {"orders":   {"path": ["raw", "orders"]},
             "lineitem": {"service": "files", "spec": {"uri": "lineitem.parquet",
                                                       "columns": ["l_orderkey", "l_quantity"]}}},
  "spec":   {"sql": "select * from lineitem join orders"},
  "sink":   {"path": ["reports", "q3"], "reuse": "if_same", "ttl_s": 3600, "tier": "disk"},
  "options": {"priority": 7, "deadline_ms": 60000, "share": true, "retain_s": 30}})";

std::shared_ptr<const Command> Parsed(std::string_view text) {
  auto command = Command::Parse(text);
  EXPECT_TRUE(command.ok()) << text << ": " << (command.ok() ? "" : command.error().message);
  return command.ok() ? *command : std::make_shared<Command>();
}
std::string Refused(std::string_view text) {
  const auto request = ParseRequest(text);
  if (request.ok()) return "accepted: " + std::string(text);
  EXPECT_EQ(request.error().kind, Kind::kInvalid);
  return request.error().message;
}
std::string HexOf(std::string_view text, const Pins& pins = {}) {
  return IdentityOf(*Parsed(text), pins).Hex();
}
Path MakePath(std::vector<std::string> parts) { return *Path::Make(std::move(parts)); }

TEST(CommandTest, TheContractsExampleParsesIntoTypedParts) {
  const auto command = Parsed(kExample);
  EXPECT_EQ(command->service, "sql");
  ASSERT_EQ(command->inputs.size(), 2u);
  EXPECT_EQ(command->inputs.at("orders").path, MakePath({"raw", "orders"}));
  EXPECT_EQ(command->inputs.at("orders").command, nullptr);
  EXPECT_EQ(command->inputs.at("lineitem").command->service, "files");
  EXPECT_TRUE(command->inputs.at("lineitem").path.empty());
  ASSERT_TRUE(command->sink.has_value());
  EXPECT_EQ(command->sink->path.Text(), "reports/q3");
  EXPECT_EQ(command->sink->ttl_s, 3600);
  EXPECT_TRUE(command->sink->reuse_given);
  EXPECT_EQ(command->options.priority, 7);
  EXPECT_EQ(command->options.deadline_ms, 60000);
  EXPECT_EQ(command->options.retain_s, 30);
}

TEST(CommandTest, ACommandPrintsBackToOneOfTheSameMeaning) {
  const auto command = Parsed(kExample);
  const auto again = Command::FromJson(command->ToJson());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(Canonical((*again)->ToJson()), Canonical(command->ToJson()));
  EXPECT_EQ(IdentityOf(**again, {}), IdentityOf(*command, {}));
  EXPECT_EQ((*again)->options.priority, 7);
  EXPECT_EQ((*again)->sink->ttl_s, 3600);
}

TEST(CommandTest, WhatIsNotSaidHasTheContractsDefault) {
  const auto command = Parsed(R"({"service": "files", "sink": {"path": ["a"]}})");
  EXPECT_EQ(command->spec, Json::object());
  EXPECT_EQ(command->sink->reuse, Reuse::kIfSame);
  EXPECT_FALSE(command->sink->reuse_given);
  EXPECT_EQ(command->sink->tier, Tier::kDisk);
  EXPECT_FALSE(command->sink->if_generation.has_value());
  EXPECT_EQ(command->options.priority, 5);
  EXPECT_TRUE(command->options.share);
  EXPECT_EQ(command->options.retain_s, 60);
}

TEST(CommandTest, AnUnknownKeyIsNamedWithItsPlaceAndTheNearestKnownOne) {
  EXPECT_EQ(Refused(R"({"service": "sql", "imputs": {}})"),
            "unknown key 'imputs'; did you mean 'inputs'?");
  EXPECT_EQ(Refused(R"({"service": "sql", "inputs": {"o": {"service": "f", "sink": {"path": ["a"],
                        "ttls": 3}}}})"),
            "inputs.o.sink: unknown key 'ttls'; did you mean 'ttl_s'?");
  EXPECT_EQ(Refused(R"({"service": "sql", "options": {"prio": 3}})").substr(0, 28),
            "options: unknown key 'prio';");
  EXPECT_THAT(Refused(R"({"servcie": "sql"})"), HasSubstr("did you mean 'service'?"));
}

TEST(CommandTest, AKeyMisspeltIsNamedAndNotTheOneThatIsMissingForIt) {
  EXPECT_EQ(Refused(R"({"servise": "sql", "spec": {}})"),
            "unknown key 'servise'; did you mean 'service'?");
  EXPECT_EQ(Refused(R"({"service": "s", "sink": {"pth": ["a"]}})"),
            "sink: unknown key 'pth'; did you mean 'path'?");
  EXPECT_EQ(Refused(R"({"service": "s", "inputs": {"x": {"pth": ["a"]}}})"),
            "inputs.x: unknown key 'pth'; did you mean 'path'?");
  EXPECT_EQ(Refused(R"({"service": "s", "inputs": {"x": {"servise": "f", "spec": {}}}})"),
            "inputs.x: unknown key 'servise'; did you mean 'service'?");
  EXPECT_THAT(Refused(R"({"sink": {"pth": ["a"]}})"), HasSubstr("'pth'; did you mean 'path'?"));
  EXPECT_THAT(Refused(R"({"service": "s", "spec": 1, "sink": {"path": ["a"], "teir": "disk"}})"),
              HasSubstr("expected an object"));
}

TEST(CommandTest, EveryTypeAndLimitIsCheckedAndThePlaceNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"service": 3})", "service: expected a string, found number 3"},
      {R"({"service": ""})", "service: expected the name of a service"},
      {R"({"spec": {}})", "service: expected a string, it is missing"},
      {R"({"service": "s", "spec": [1]})", "spec: expected an object, found array"},
      {R"({"service": "s", "inputs": []})", "inputs: expected an object, found array"},
      {R"({"service": "s", "inputs": {"a": 1}})", "inputs.a: expected an object, found number 1"},
      {R"({"service": "s", "inputs": {"a": {}}})", "inputs.a: expected {\"path\""},
      {R"({"service": "s", "inputs": {"": {"path": ["a"]}}})", "1 to 255 bytes"},
      {R"({"service": "s", "inputs": {"a": {"path": []}}})", "inputs.a.path: a path has at least"},
      {R"({"service": "s", "inputs": {"a": {"path": ["x"], "generation": 3}}})",
       "inputs.a: unknown key 'generation'"},
      {R"({"service": "s", "inputs": {"input": {"path": ["x"]}}})", "inputs.input: the name is"},
      {R"({"service": "s", "sink": null})", "sink: expected an object, found null"},
      {R"({"service": "s", "sink": {}})", "sink.path: expected a list of strings, it is missing"},
      {R"({"service": "s", "sink": {"path": "a"}})", "sink.path: expected a list of strings"},
      {R"({"service": "s", "sink": {"path": ["a", ""]}})", "sink.path: path part 1 is empty"},
      {R"({"service": "s", "sink": {"path": ["a"], "ttl_s": 0}})",
       "sink.ttl_s: expected an integer from 1"},
      {R"({"service": "s", "sink": {"path": ["a"], "ttl_s": 2.0}})", "found number 2.0"},
      {R"({"service": "s", "sink": {"path": ["a"], "if_generation": -1}})",
       "sink.if_generation: expected an integer from 0 up, found number -1"},
      {R"({"service": "s", "sink": {"path": ["a"], "reuse": "if_sane"}})",
       "sink.reuse: unknown value 'if_sane'; did you mean 'if_same'?"},
      {R"({"service": "s", "sink": {"path": ["a"], "tier": "tape"}})", "sink.tier: unknown value"},
      {R"({"service": "s", "options": {"priority": 10}})",
       "options.priority: expected an integer from 0 to 9, found number 10"},
      {R"({"service": "s", "options": {"deadline_ms": 0}})", "options.deadline_ms: expected"},
      {R"({"service": "s", "options": {"share": 1}})", "options.share: expected true or false"},
      {R"({"service": "s", "options": {"retain_s": -1}})", "options.retain_s: expected"},
      {R"({"service": "s", "options": {"memory_bytes": 0}})", "options.memory_bytes: expected"},
  };
  for (const auto& [text, why] : cases) EXPECT_THAT(Refused(text), HasSubstr(why));
}

TEST(CommandTest, AGenerationReachesSixtyFourBits) {
  const auto command =
      Parsed(R"({"service": "s", "sink": {"path": ["a"], "if_generation": 18446744073709551615}})");
  EXPECT_EQ(command->sink->if_generation, UINT64_MAX);
  EXPECT_EQ(*Parsed(R"({"service": "s", "sink": {"path": ["a"], "if_generation": 0}})")
                 ->sink->if_generation,
            0u);
}

TEST(CommandTest, PriorityAndDeadlineAreTheOutermostCommandsAlone) {
  for (const auto* option : {R"("priority": 3)", R"("deadline_ms": 10)"}) {
    const std::string nested = R"({"service": "s", "inputs": {"a": {"service": "t",
        "options": {)" + std::string(option) +
                               "}}}}";
    EXPECT_THAT(Refused(nested), HasSubstr("inputs.a.options."));
    EXPECT_THAT(Refused(nested), HasSubstr("outermost"));
  }
  Parsed(R"({"service": "s", "inputs": {"a": {"service": "t", "options": {"share": false}}}})");
}

std::string Nested(size_t depth) {
  std::string text = R"({"service": "s"})";
  for (size_t i = 1; i < depth; ++i) text = R"({"service": "s", "inputs": {"a": )" + text + "}}";
  return text;
}

TEST(CommandTest, ATreeIsSixteenDeepAndNoDeeper) {
  Parsed(Nested(16));
  EXPECT_THAT(Refused(Nested(17)), HasSubstr("commands nested deeper than 16"));
}

TEST(CommandTest, ATreeHoldsTwoHundredFiftySixCommandsAndNoMore) {
  const auto wide = [](size_t inputs) {
    std::string text = R"({"service": "s", "inputs": {)";
    for (size_t i = 0; i < inputs; ++i) {
      text += (i > 0 ? "," : "") + ("\"i" + std::to_string(i)) + R"(": {"service": "t"})";
    }
    return text + "}}";
  };
  Parsed(wide(255));
  EXPECT_THAT(Refused(wide(256)), HasSubstr("more than 256 commands"));
}

TEST(CommandTest, RetainZeroAllowsNoSinkInItsTree) {
  EXPECT_THAT(Refused(R"({"service": "s", "sink": {"path": ["a"]}, "options": {"retain_s": 0}})"),
              HasSubstr("options.retain_s: 0 allows no sink"));
  EXPECT_THAT(Refused(R"({"service": "s", "options": {"retain_s": 0},
                          "inputs": {"a": {"service": "t", "sink": {"path": ["a"]}}}})"),
              HasSubstr("options.retain_s: 0 allows no sink"));
  EXPECT_THAT(Refused(R"({"service": "s", "inputs": {"a": {"service": "t",
                          "options": {"retain_s": 0}, "sink": {"path": ["a"]}}}})"),
              HasSubstr("inputs.a.options.retain_s: 0 allows no sink"));
  // A sink above the command that retains nothing is outside its tree.
  Parsed(R"({"service": "s", "sink": {"path": ["a"]},
             "inputs": {"a": {"service": "t", "options": {"retain_s": 0}}}})");
}

TEST(CommandTest, RetainZeroIsNeverShared) {
  EXPECT_FALSE(Parsed(R"({"service": "s", "options": {"retain_s": 0}})")->options.share);
  EXPECT_FALSE(
      Parsed(R"({"service": "s", "options": {"retain_s": 0, "share": true}})")->options.share);
}

TEST(CommandTest, OneSinkPathOfTwoIdentitiesIsRefused) {
  const auto tree = [](std::string_view spec_a, std::string_view spec_b) {
    return R"({"service": "s", "inputs": {
        "a": {"service": "t", "spec": )" +
           std::string(spec_a) + R"(, "sink": {"path": ["p"]}},
        "b": {"service": "t", "spec": )" +
           std::string(spec_b) + R"(, "sink": {"path": ["p"]}}}})";
  };
  EXPECT_THAT(Refused(tree(R"({"x": 1})", R"({"x": 2})")),
              HasSubstr("inputs.b.sink.path: 'p' is also the sink of another command at "
                        "inputs.a.sink.path"));
  Parsed(tree(R"({"x": 1})", R"({"x": 1})"));
  EXPECT_THAT(Refused(R"({"service": "s", "sink": {"path": ["p"]},
                          "inputs": {"a": {"service": "t", "sink": {"path": ["p"]}}}})"),
              HasSubstr("sink.path: 'p' is also"));
}

TEST(CommandTest, ACommandMayReadThePathThatItWillReplace) {
  Parsed(R"({"service": "s", "sink": {"path": ["p"]}, "inputs": {"old": {"path": ["p"]}}})");
}

TEST(IdentityTest, IsTheDigestOfTheCanonicalText) {
  // Never edit the expected values: identities are kept in stores across versions.
  const auto identity = IdentityOf(*Parsed(kExample), {{MakePath({"raw", "orders"}), 42}});
  const std::string files =
      Sha256(R"({"inputs":{},"service":"files","spec":{"columns":["l_orderkey","l_quantity"],)"
             R"("uri":"lineitem.parquet"}})");
  const std::string text =
      R"({"inputs":{"lineitem":{"identity":")" + core::ToHex(files) +
      R"("},"orders":{"generation":42,"path":["raw","orders"]}},"service":"sql",)"
      R"("spec":{"sql":"select * from lineitem join orders"}})";
  EXPECT_EQ(identity.raw, Sha256(text));
  EXPECT_EQ(identity.raw.size(), 32u);
  EXPECT_EQ(HexOf(R"({"service": "files"})"),
            "e93e66b46f7254f633f59f3bf5458ba8245ab4179bc43b3db1ff24eb9813fa9e");
}

TEST(IdentityTest, SinksAndOptionsDoNotCount) {
  const std::string plain = HexOf(R"({"service": "s", "inputs": {"a": {"service": "t"}}})");
  EXPECT_EQ(HexOf(R"({"service": "s", "sink": {"path": ["p"]}, "options": {"priority": 9},
                      "inputs": {"a": {"service": "t", "sink": {"path": ["q"]},
                                       "options": {"share": false}}}})"),
            plain);
}

TEST(IdentityTest, OrderSpacesAndEscapesDoNotCount) {
  EXPECT_EQ(HexOf("{\"service\":\"s\",\"spec\":{\"a\":\"\\u00e9\",\"b\":1}}"),
            HexOf("{ \"spec\" : { \"b\":1, \"a\" : \"é\" } , \"service\":\"s\" }"));
}

TEST(IdentityTest, ServiceSpecInputNameAndPinCount) {
  const std::set<std::string> all = {
      HexOf(R"({"service": "s"})"),
      HexOf(R"({"service": "t"})"),
      HexOf(R"({"service": "s", "spec": {"n": 2}})"),
      HexOf(R"({"service": "s", "spec": {"n": 2.0}})"),
      HexOf(R"({"service": "s", "spec": {"n": "2"}})"),
      HexOf(R"({"service": "s", "spec": {"n": [2]}})"),
      HexOf(R"({"service": "s", "spec": {"n": null}})"),
      HexOf(R"({"service": "s", "inputs": {"a": {"path": ["p"]}}})"),
      HexOf(R"({"service": "s", "inputs": {"b": {"path": ["p"]}}})"),
      HexOf(R"({"service": "s", "inputs": {"a": {"path": ["p"]}}})", {{MakePath({"p"}), 1}}),
      HexOf(R"({"service": "s", "inputs": {"a": {"path": ["p", "q"]}}})"),
      HexOf(R"({"service": "s", "inputs": {"a": {"service": "s"}}})"),
  };
  EXPECT_EQ(all.size(), 12u);
}

TEST(IdentityTest, AnAbsentPinCountsAsGenerationZero) {
  const auto* text = R"({"service": "s", "inputs": {"a": {"path": ["p"]}}})";
  EXPECT_EQ(HexOf(text), HexOf(text, {{MakePath({"p"}), 0}}));
}

TEST(IdentityTest, InputPathsAreThoseOfTheWholeTree) {
  const auto command = Parsed(R"({"service": "s", "inputs": {
      "a": {"path": ["p"]}, "b": {"service": "t", "inputs": {"c": {"path": ["q"]},
                                                             "d": {"path": ["p"]}}}}})");
  EXPECT_EQ(InputPaths(*command), (std::set<Path>{MakePath({"p"}), MakePath({"q"})}));
}

TEST(RequestTest, EachFormIsKnownByItsKey) {
  EXPECT_TRUE(std::holds_alternative<std::shared_ptr<const Command>>(*ParseRequest(kExample)));
  const auto task = ParseRequest(R"({"task": "abc"})");
  EXPECT_EQ(std::get<TaskRef>(*task).task.text, "abc");
  const auto path = ParseRequest(R"({"path": ["a", "b"], "generation": 7})");
  EXPECT_EQ(std::get<PathRef>(*path).path.Text(), "a/b");
  EXPECT_EQ(std::get<PathRef>(*path).generation, 7u);
  EXPECT_FALSE(std::get<PathRef>(*ParseRequest(R"({"path": ["a"]})")).generation.has_value());
  const auto sink = ParseRequest(R"({"sink": {"path": ["a"], "tier": "memory"}})");
  EXPECT_EQ(std::get<SinkRef>(*sink).sink.tier, Tier::kMemory);
}

TEST(RequestTest, EachFormHasItsOwnKeysOnly) {
  EXPECT_THAT(Refused(R"({"task": "abc", "path": ["a"]})"), HasSubstr("unknown key 'path'"));
  EXPECT_THAT(Refused(R"({"task": 5})"), HasSubstr("task: expected a string"));
  EXPECT_THAT(Refused(R"({"task": ""})"), HasSubstr("task: expected the id"));
  EXPECT_THAT(Refused(R"({"path": ["a"], "sink": {}})"), HasSubstr("unknown key 'sink'"));
  EXPECT_THAT(Refused(R"({"path": ["a"], "generation": 1.5})"), HasSubstr("generation: expected"));
  EXPECT_THAT(Refused(R"({"sink": {"path": ["a"]}, "x": 1})"), HasSubstr("unknown key 'x'"));
  EXPECT_THAT(Refused("{}"), HasSubstr("an empty object"));
  EXPECT_THAT(Refused("[1]"), HasSubstr("expected an object, found array"));
  EXPECT_THAT(Refused(R"({"service": "s")"), HasSubstr("malformed JSON"));
}

TEST(RequestTest, EveryFormPrintsBack) {
  for (const auto* text :
       {R"({"task":"abc"})", R"({"path":["a","b"]})", R"({"generation":7,"path":["a","b"]})",
        R"({"sink":{"path":["a"],"reuse":"never","tier":"object"}})",
        R"({"service":"s","spec":{"n":2.0}})"}) {
    EXPECT_EQ(Canonical(ToJson(*ParseRequest(text))), text);
  }
}

}  // namespace
}  // namespace sheaf::command
