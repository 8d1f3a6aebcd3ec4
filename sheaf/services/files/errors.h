// Every failure of this room, in words. None of them holds a byte of a file's contents.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"

namespace sheaf::files {

// --- where a file is -----------------------------------------------------------------------
inline Error NoRoots() {
  return Fail(Kind::kForbidden,
              "no directory is open to the service 'files' on this node; an operator sets "
              "files.roots, a list of directories");
}
// The same words whether or not there is such a file.
inline Error OutsideRoots(std::string_view uri) {
  return Fail(Kind::kForbidden, "'" + std::string(uri) + "' is not below files.roots");
}
inline Error NoFile(std::string_view uri, std::string_view roots) {
  return Fail(Kind::kNotFound,
              "no file '" + std::string(uri) + "' in the roots " + std::string(roots));
}
inline Error EmptyGlob(std::string_view uri, std::string_view roots) {
  return Fail(Kind::kNotFound,
              "no file matches '" + std::string(uri) + "' in the roots " + std::string(roots));
}
inline Error EmptyDirectory(std::string_view uri, std::string_view wanted) {
  return Fail(Kind::kNotFound,
              "the directory '" + std::string(uri) + "' holds no " + std::string(wanted));
}
inline Error NotRegular(std::string_view uri) {
  return Fail(Kind::kInvalid, "'" + std::string(uri) + "' is neither a file nor a directory");
}
inline Error CannotOpen(std::string_view uri, std::string_view why) {
  return Fail(Kind::kFailed, "'" + std::string(uri) + "' cannot be read: " + std::string(why));
}
inline Error TooMany(std::string_view what, int64_t limit) {
  return Fail(Kind::kExhausted, "more than " + std::to_string(limit) + " " + std::string(what));
}
inline Error Changed(std::string_view file) {
  return Fail(Kind::kFailed, "'" + std::string(file) + "' was changed while it was being read");
}
inline Error BadSpec(std::string_view where, std::string_view what) {
  return Fail(Kind::kInvalid, std::string(where) + ": " + std::string(what));
}

// --- what a file holds ---------------------------------------------------------------------
inline Error EmptyFile(std::string_view file) {
  return Fail(Kind::kFailed, "'" + std::string(file) + "' is empty (0 bytes)");
}
inline Error WrongFormat(std::string_view file, std::string_view format, std::string_view why) {
  return Fail(Kind::kFailed, "'" + std::string(file) + "' is not a " + std::string(format) +
                                 " file: " + std::string(why));
}
inline Error Damaged(std::string_view file, std::string_view where, std::string_view why) {
  std::string text = "'" + std::string(file) + "' is damaged";
  if (!where.empty()) text += " at " + std::string(where);
  return Fail(Kind::kCorrupt, text + ": " + std::string(why));
}
inline Error BadText(std::string_view file, std::string_view where, std::string_view why) {
  std::string text = "'" + std::string(file) + "'";
  if (!where.empty()) text += ", " + std::string(where);
  return Fail(Kind::kFailed, text + ": " + std::string(why));
}
inline Error MissingColumn(std::string_view file, std::string_view column, std::string_view first) {
  return Fail(Kind::kFailed, "'" + std::string(file) + "' has no column '" + std::string(column) +
                                 "', which '" + std::string(first) + "' has");
}
inline Error ExtraColumn(std::string_view file, std::string_view column, std::string_view first) {
  return Fail(Kind::kFailed, "'" + std::string(file) + "' has a column '" + std::string(column) +
                                 "', which '" + std::string(first) + "' has not");
}
inline Error OtherType(std::string_view file, std::string_view column, std::string_view type,
                       std::string_view first, std::string_view first_type) {
  return Fail(Kind::kFailed, "column '" + std::string(column) + "' is " + std::string(type) +
                                 " in '" + std::string(file) + "' but " + std::string(first_type) +
                                 " in '" + std::string(first) + "'");
}

}  // namespace sheaf::files
