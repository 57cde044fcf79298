// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tests of the importer's public functions; its operators are tested with lit
// (test/Import/ONNX).
#include "snug/Import/ONNX.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <string>
#include <vector>

namespace {

TEST(ParseShapeOption, NameAndDimensions) {
  auto shape = snug::parseShapeOption("input=1x3x608x608");
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->first, "input");
  EXPECT_EQ(shape->second, (std::vector<int64_t>{1, 3, 608, 608}));
}

TEST(ParseShapeOption, TheLastEqualsSignEndsTheName) {
  auto shape = snug::parseShapeOption("a=b:0=7");
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->first, "a=b:0");
  EXPECT_EQ(shape->second, (std::vector<int64_t>{7}));
}

TEST(ParseShapeOption, RefusesOtherForms) {
  for (const char *text :
       {"", "=", "input", "input=", "=1x2", "input=x", "input=1x", "input=x1",
        "input=1xx2", "input=1X2", "input=-1x2", "input=+1", "input=1.5",
        "input= 1", "input=1x3x99999999999999999999", "input=Nx3"}) {
    auto shape = snug::parseShapeOption(text);
    ASSERT_FALSE(shape) << text;
    EXPECT_EQ(shape.error().message,
              "--shape takes NAME=DIMENSIONS, for instance "
              "input=1x3x608x608, but got '" +
                  std::string(text) + "'");
  }
}

TEST(ParseShapeOption, RefusesDimensionsOutOfRange) {
  for (const char *text : {"input=0", "input=1x2147483648"}) {
    auto shape = snug::parseShapeOption(text);
    ASSERT_FALSE(shape) << text;
    EXPECT_EQ(shape.error().message, "a dimension in '" + std::string(text) +
                                         "' is not in 1 to 2147483647");
  }
  EXPECT_TRUE(snug::parseShapeOption("input=2147483647"));
}

/// Imports a file of these bytes; returns the errors.
std::vector<std::string> errorsOf(llvm::StringRef bytes) {
  llvm::SmallString<128> path;
  int descriptor = -1;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("snug-import", "onnx",
                                                  descriptor, path));
  llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << bytes;
  mlir::MLIRContext context;
  std::vector<std::string> errors;
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [&](mlir::Diagnostic &diagnostic) {
                                          errors.push_back(diagnostic.str());
                                          return mlir::success();
                                        });
  EXPECT_FALSE(snug::importONNX(context, path));
  llvm::sys::fs::remove(path);
  return errors;
}

TEST(ImportONNX, AnyShortFileGivesOneError) {
  // Every file of one byte, and every beginning of a field of two.
  for (int first = 0; first < 256; ++first) {
    std::string bytes(1, char(first));
    EXPECT_EQ(errorsOf(bytes).size(), 1u) << first;
    bytes.push_back('\x02');
    EXPECT_EQ(errorsOf(bytes).size(), 1u) << first;
  }
}

TEST(ImportONNX, LengthsBeyondTheFileGiveOneError) {
  // Field 7, the graph, with lengths that end behind the file, overflow 32 bits
  // and 64 bits, and one that never ends.
  const std::string number("\x08\x08", 2);
  for (const char *length :
       {"\x05", "\xff\xff\xff\xff\x07", "\xff\xff\xff\xff\x0f",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"})
    EXPECT_EQ(errorsOf(number + "\x3a" + length).size(), 1u);
}

} // namespace
