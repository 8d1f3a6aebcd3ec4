#include "sheaf/drivers/postgres/sqlstate.h"

#include <algorithm>
#include <array>
#include <optional>

namespace sheaf::postgres {
namespace {

// The classes of the server's manual, by their first two characters.
enum class Class : uint8_t {
  kSuccess,
  kWarning,
  kNoData,
  kStatementNotComplete,
  kConnection,
  kTriggeredAction,
  kNotSupported,
  kTransactionInitiation,
  kLocator,
  kGrantor,
  kRole,
  kDiagnostics,
  kCase,
  kCardinality,
  kData,
  kConstraint,
  kCursorState,
  kTransactionState,
  kStatementName,
  kTriggeredChange,
  kAuthorization,
  kPrivilegeDescriptors,
  kTransactionTermination,
  kSqlRoutine,
  kCursorName,
  kExternalRoutine,
  kExternalInvocation,
  kSavepoint,
  kCatalogName,
  kSchemaName,
  kRollback,
  kSyntaxOrAccess,
  kCheckOption,
  kResources,
  kLimit,
  kPrerequisite,
  kIntervention,
  kSystem,
  kSnapshot,
  kConfiguration,
  kForeignData,
  kProcedure,
  kInternal,
};

struct Named {
  std::string_view code;
  Class is;
};
constexpr std::array<Named, 43> kClasses = {{
    {"00", Class::kSuccess},
    {"01", Class::kWarning},
    {"02", Class::kNoData},
    {"03", Class::kStatementNotComplete},
    {"08", Class::kConnection},
    {"09", Class::kTriggeredAction},
    {"0A", Class::kNotSupported},
    {"0B", Class::kTransactionInitiation},
    {"0F", Class::kLocator},
    {"0L", Class::kGrantor},
    {"0P", Class::kRole},
    {"0Z", Class::kDiagnostics},
    {"20", Class::kCase},
    {"21", Class::kCardinality},
    {"22", Class::kData},
    {"23", Class::kConstraint},
    {"24", Class::kCursorState},
    {"25", Class::kTransactionState},
    {"26", Class::kStatementName},
    {"27", Class::kTriggeredChange},
    {"28", Class::kAuthorization},
    {"2B", Class::kPrivilegeDescriptors},
    {"2D", Class::kTransactionTermination},
    {"2F", Class::kSqlRoutine},
    {"34", Class::kCursorName},
    {"38", Class::kExternalRoutine},
    {"39", Class::kExternalInvocation},
    {"3B", Class::kSavepoint},
    {"3D", Class::kCatalogName},
    {"3F", Class::kSchemaName},
    {"40", Class::kRollback},
    {"42", Class::kSyntaxOrAccess},
    {"44", Class::kCheckOption},
    {"53", Class::kResources},
    {"54", Class::kLimit},
    {"55", Class::kPrerequisite},
    {"57", Class::kIntervention},
    {"58", Class::kSystem},
    {"72", Class::kSnapshot},
    {"F0", Class::kConfiguration},
    {"HV", Class::kForeignData},
    {"P0", Class::kProcedure},
    {"XX", Class::kInternal},
}};

std::optional<Class> ClassOf(std::string_view sqlstate) {
  for (const Named& named : kClasses) {
    if (sqlstate.substr(0, 2) == named.code) return named.is;
  }
  return std::nullopt;
}

// Codes that mean something else than the rest of their class.
std::optional<Kind> KindOfCode(std::string_view sqlstate) {
  struct Known {
    std::string_view code;
    Kind kind;
  };
  constexpr std::array<Known, 15> kKnown = {{
      {"25006", Kind::kForbidden},     // read-only transaction: a standby
      {"25P03", Kind::kDeadline},      // idle in a transaction for too long
      {"40002", Kind::kConflict},      // integrity
      {"40003", Kind::kDependency},    // completion unknown
      {"42501", Kind::kForbidden},     // privilege
      {"42P01", Kind::kNotReady},      // no such table
      {"53300", Kind::kBackpressure},  // too many connections
      {"55006", Kind::kBackpressure},  // in use
      {"55P03", Kind::kBackpressure},  // lock not available
      {"57000", Kind::kCancelled},
      {"57014", Kind::kDeadline},  // statement timeout; who cancels knows that he did
      {"XX001", Kind::kCorrupt},
      {"XX002", Kind::kCorrupt},
      {"P0001", Kind::kFailed},  // raised by a procedure
      {"P0004", Kind::kInternal},
  }};
  for (const Known& known : kKnown) {
    if (known.code == sqlstate) return known.kind;
  }
  return std::nullopt;
}

Kind KindOfClass(Class is) {
  switch (is) {
    case Class::kConnection:
    case Class::kIntervention:
    case Class::kSystem:
    case Class::kConfiguration:
    case Class::kForeignData: return Kind::kDependency;
    case Class::kNotSupported: return Kind::kUnsupported;
    case Class::kData: return Kind::kInvalid;
    case Class::kConstraint:
    case Class::kCheckOption: return Kind::kConflict;
    case Class::kAuthorization: return Kind::kUnauthenticated;
    case Class::kCatalogName:
    case Class::kSchemaName: return Kind::kNotReady;
    case Class::kRollback:
    case Class::kSnapshot: return Kind::kBackpressure;
    case Class::kResources:
    case Class::kLimit: return Kind::kExhausted;
    case Class::kProcedure: return Kind::kFailed;
    case Class::kSuccess:
    case Class::kWarning:
    case Class::kNoData:
    case Class::kStatementNotComplete:
    case Class::kTriggeredAction:
    case Class::kTransactionInitiation:
    case Class::kLocator:
    case Class::kGrantor:
    case Class::kRole:
    case Class::kDiagnostics:
    case Class::kCase:
    case Class::kCardinality:
    case Class::kCursorState:
    case Class::kTransactionState:
    case Class::kStatementName:
    case Class::kTriggeredChange:
    case Class::kPrivilegeDescriptors:
    case Class::kTransactionTermination:
    case Class::kSqlRoutine:
    case Class::kCursorName:
    case Class::kExternalRoutine:
    case Class::kExternalInvocation:
    case Class::kSavepoint:
    case Class::kSyntaxOrAccess:
    case Class::kPrerequisite:
    case Class::kInternal: return Kind::kInternal;
  }
  __builtin_unreachable();
}

// The session ended with the answer, or there was none.
bool EndsTheSession(std::string_view sqlstate, std::optional<Class> is) {
  return sqlstate.empty() || is == Class::kConnection || sqlstate == "57P01" ||
         sqlstate == "57P02" || sqlstate == "57P05";
}

}  // namespace

Meaning MeaningOf(std::string_view sqlstate, Phase phase) {
  const auto is = ClassOf(sqlstate);
  Meaning meaning{Kind::kInternal, Effect::kNone};
  if (const auto known = KindOfCode(sqlstate)) {
    meaning.kind = *known;
  } else if (sqlstate.empty()) {
    meaning.kind = Kind::kDependency;
  } else if (is.has_value()) {
    meaning.kind = KindOfClass(*is);
  }
  const bool unsure = EndsTheSession(sqlstate, is) || sqlstate == "40003";
  if (phase == Phase::kCommitting && unsure) meaning.effect = Effect::kUnknown;
  return meaning;
}

bool MayComeBack(std::string_view sqlstate) {
  return sqlstate.empty() || ClassOf(sqlstate) == Class::kConnection || sqlstate == "53300" ||
         sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03";
}

bool MetAnother(std::string_view sqlstate) {
  return sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "23505";
}

}  // namespace sheaf::postgres
