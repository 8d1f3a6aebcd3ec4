#include "sheaf/services/files/filter.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>

#include <algorithm>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/literal.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

namespace cp = arrow::compute;
using TypePtr = std::shared_ptr<arrow::DataType>;

// What a column is compared as: a dictionary as its values, views as plain strings.
TypePtr ComparedType(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::DICTIONARY:
      return ComparedType(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::STRING_VIEW: return arrow::utf8();
    case arrow::Type::BINARY_VIEW: return arrow::binary();
    default: return type;
  }
}

cp::Expression Column(const arrow::Field& field, const TypePtr& compared) {
  cp::Expression reference = cp::field_ref(field.name());
  if (field.type()->Equals(*compared)) return reference;
  return cp::call("cast", {std::move(reference)}, cp::CastOptions::Safe(compared));
}

// `is_in` knows no narrow decimals.
TypePtr ListedType(const TypePtr& type) {
  if (type->id() != arrow::Type::DECIMAL32 && type->id() != arrow::Type::DECIMAL64) return type;
  const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
  return arrow::decimal128(decimal.precision(), decimal.scale());
}

// `is_in` compares floating-point numbers by their bits, where 0 and -0 are two; `=` does not.
arrow::ScalarVector WithBothZeros(arrow::ScalarVector values) {
  const auto add = [&values](auto zero) { values.push_back(arrow::MakeScalar(zero)); };
  for (const auto& value : arrow::ScalarVector(values)) {
    if (value->type->id() == arrow::Type::DOUBLE) {
      const double number = static_cast<const arrow::DoubleScalar&>(*value).value;
      if (number == 0) add(-number);
    } else if (value->type->id() == arrow::Type::FLOAT) {
      const float number = static_cast<const arrow::FloatScalar&>(*value).value;
      if (number == 0) add(-number);
    }
  }
  return values;
}

Result<cp::Expression> InList(const Term& term, const arrow::Field& field) {
  const TypePtr type = ListedType(ComparedType(field.type()));
  arrow::ScalarVector values;
  for (const Json& value : term.value) {
    SHEAF_ASSIGN(auto literal, MakeLiteral(value, type, term.column, term.where));
    values.push_back(std::move(literal));
  }
  SHEAF_ARROW_ASSIGN(const auto builder, Kind::kInternal, arrow::MakeBuilder(type));
  SHEAF_ARROW_TRY(Kind::kInternal, builder->AppendScalars(WithBothZeros(std::move(values))));
  SHEAF_ARROW_ASSIGN(auto array, Kind::kInternal, builder->Finish());
  cp::Expression in = cp::call("is_in", {Column(field, type)}, cp::SetLookupOptions(array));
  if (term.op == Op::kIn) return in;
  return cp::and_(cp::not_(std::move(in)), cp::is_valid(cp::field_ref(field.name())));
}

std::string_view FunctionOf(Op op) {
  switch (op) {
    case Op::kEqual: return "equal";
    case Op::kNotEqual: return "not_equal";
    case Op::kLess: return "less";
    case Op::kLessEqual: return "less_equal";
    case Op::kGreater: return "greater";
    case Op::kGreaterEqual: return "greater_equal";
    case Op::kIn:
    case Op::kNotIn:
    case Op::kIsNull:
    case Op::kNotNull: break;
  }
  return "";
}

Result<cp::Expression> TermExpression(const Term& term, const arrow::Field& field) {
  switch (term.op) {
    case Op::kIsNull: return cp::is_null(cp::field_ref(field.name()));
    case Op::kNotNull: return cp::is_valid(cp::field_ref(field.name()));
    case Op::kIn:
    case Op::kNotIn: return InList(term, field);
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual: break;
  }
  const TypePtr type = ComparedType(field.type());
  SHEAF_ASSIGN(auto literal, MakeLiteral(term.value, type, term.column, term.where));
  return cp::call(std::string(FunctionOf(term.op)),
                  {Column(field, type), cp::literal(std::move(literal))});
}

bool Stays(const arrow::BooleanArray& bits, int64_t row) {
  return bits.IsValid(row) && bits.Value(row);
}

// Views are moved, what they point at is shared.
Result<std::shared_ptr<arrow::Array>> KeepViews(const arrow::Array& column,
                                                const arrow::BooleanArray& bits, int64_t staying,
                                                arrow::MemoryPool* pool) {
  using View = arrow::BinaryViewType::c_type;
  SHEAF_ARROW_ASSIGN(std::shared_ptr<arrow::Buffer> views, Kind::kExhausted,
                     arrow::AllocateBuffer(staying * static_cast<int64_t>(sizeof(View)), pool));
  arrow::TypedBufferBuilder<bool> valid(pool);
  SHEAF_ARROW_TRY(Kind::kExhausted, valid.Reserve(staying));
  const View* from = column.data()->GetValues<View>(1);
  View* to = views->mutable_data_as<View>();
  for (int64_t row = 0; row < bits.length(); ++row) {
    if (!Stays(bits, row)) continue;
    *to++ = from[row];
    valid.UnsafeAppend(column.IsValid(row));
  }
  auto data = column.data()->Copy();
  data->offset = 0;
  data->length = staying;
  data->null_count = valid.false_count();
  SHEAF_ARROW_ASSIGN(data->buffers[0], Kind::kExhausted, valid.Finish());
  data->buffers[1] = std::move(views);
  return arrow::MakeArray(std::move(data));
}

// For types that Arrow's filter does not know (run-end encoding, nested views): runs of rows.
Result<std::shared_ptr<arrow::Array>> KeepRuns(const arrow::Array& column,
                                               const arrow::BooleanArray& bits,
                                               arrow::MemoryPool* pool) {
  arrow::ArrayVector slices;
  for (int64_t row = 0; row < bits.length(); ++row) {
    if (!Stays(bits, row)) continue;
    const int64_t begin = row;
    while (row + 1 < bits.length() && Stays(bits, row + 1)) ++row;
    slices.push_back(column.Slice(begin, row + 1 - begin));
  }
  SHEAF_ARROW_ASSIGN(auto joined, Kind::kFailed, arrow::Concatenate(slices, pool));
  return joined;
}

Result<std::shared_ptr<arrow::Array>> Keep(const std::shared_ptr<arrow::Array>& column,
                                           const arrow::BooleanArray& bits, int64_t staying,
                                           cp::ExecContext& context) {
  const arrow::Type::type id = column->type_id();
  if (id == arrow::Type::STRING_VIEW || id == arrow::Type::BINARY_VIEW) {
    return KeepViews(*column, bits, staying, context.memory_pool());
  }
  auto kept = cp::Filter(column, bits, cp::FilterOptions::Defaults(), &context);
  if (kept.ok()) return kept->make_array();
  if (!kept.status().IsNotImplemented()) return columnar::FromArrow(kept.status());
  return KeepRuns(*column, bits, context.memory_pool());
}

}  // namespace

Error UnknownColumn(std::string_view where, std::string_view column, const arrow::Schema& schema) {
  std::vector<std::string_view> names;
  for (const auto& field : schema.fields()) names.push_back(field->name());
  return BadSpec(where, core::UnknownWord("column", column, names));
}

Result<Filter> Filter::Make(const std::vector<Term>& terms, const arrow::Schema& schema) {
  Filter filter;
  filter.terms_ = terms;
  std::set<int> used;
  std::vector<cp::Expression> parts;
  for (const Term& term : terms) {
    const std::vector<int> found = schema.GetAllFieldIndices(term.column);
    if (found.empty()) return UnknownColumn(term.where, term.column, schema);
    if (found.size() > 1) return BadSpec(term.where, "several columns '" + term.column + "'");
    const auto& field = schema.field(found[0]);
    used.insert(found[0]);
    SHEAF_ASSIGN(auto part, TermExpression(term, *field));
    parts.push_back(std::move(part));
    const bool negative = term.op == Op::kNotEqual || term.op == Op::kNotIn;
    if (negative && arrow::is_floating(ComparedType(field->type())->id())) {
      filter.wary_of_.insert(term.column);
    }
    if (term.op == Op::kIsNull) filter.null_tested_.insert(term.column);
  }
  arrow::FieldVector fields;
  for (const int index : used) {
    fields.push_back(schema.field(index)->WithNullable(true));
    filter.columns_.push_back(fields.back()->name());
  }
  filter.schema_ = arrow::schema(std::move(fields));
  SHEAF_ARROW_ASSIGN(filter.bound_, Kind::kUnsupported, cp::and_(parts).Bind(*filter.schema_));
  return filter;
}

Result<Batch> Filter::Apply(const Batch& batch, arrow::MemoryPool* pool) const {
  if (empty() || batch->num_rows() == 0) return batch;
  std::vector<arrow::Datum> columns;
  for (const std::string& name : columns_) {
    columns.emplace_back(batch->column(batch->schema()->GetFieldIndex(name)));
  }
  cp::ExecContext context(pool);
  const cp::ExecBatch input(std::move(columns), batch->num_rows());
  SHEAF_ARROW_ASSIGN(const arrow::Datum mask, Kind::kFailed,
                     cp::ExecuteScalarExpression(bound_, input, &context));
  if (mask.is_scalar()) {
    const auto& scalar = mask.scalar_as<arrow::BooleanScalar>();
    return scalar.is_valid && scalar.value ? batch : batch->Slice(0, 0);
  }
  const auto array = mask.make_array();
  const auto& bits = static_cast<const arrow::BooleanArray&>(*array);
  const int64_t staying = bits.true_count();
  if (staying == batch->num_rows()) return batch;
  if (staying == 0) return batch->Slice(0, 0);
  arrow::ArrayVector kept;
  for (const auto& column : batch->columns()) {
    SHEAF_ASSIGN(auto array_kept, Keep(column, bits, staying, context));
    kept.push_back(std::move(array_kept));
  }
  return arrow::RecordBatch::Make(batch->schema(), staying, std::move(kept));
}

cp::Expression Filter::WithoutNulls(const std::string& column, cp::Expression guarantee) const {
  if (null_tested_.contains(column)) return guarantee;
  const auto* either = guarantee.call();
  if (either == nullptr || !either->function_name.starts_with("or")) return guarantee;
  const auto* second = either->arguments.size() == 2 ? either->arguments[1].call() : nullptr;
  if (second == nullptr || second->function_name != "is_null") return guarantee;
  return either->arguments[0];
}

bool Filter::MayHold(const cp::Expression& guarantee) const {
  const auto bound = guarantee.Bind(*schema_);
  if (!bound.ok()) return true;
  const auto simpler = cp::SimplifyWithGuarantee(bound_, *bound);
  return !simpler.ok() || simpler->IsSatisfiable();
}

}  // namespace sheaf::files
