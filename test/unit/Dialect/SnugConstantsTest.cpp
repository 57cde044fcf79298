// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers of constants, read and made in place.
#include "snug/Dialect/Snug/SnugConstants.h"

#include "ParsedModule.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace snug::cnn;
using snug::test::ParsedModule;

namespace {

std::vector<float> elements(const ConstantValues &values) {
  std::vector<float> list;
  for (int64_t i = 0; i < values.size(); ++i)
    list.push_back(values[i]);
  return list;
}

} // namespace

TEST(SnugConstants, ReadsDenseSplatAndResource) {
  ParsedModule parsed(R"mlir(
    func.func @f() {
      %0 = snug.constant dense<[1.0, 2.5]> : tensor<2xf32>
      %1 = snug.constant dense<3.0> : tensor<2x2xf32>
      %2 = snug.constant dense_resource<w> : tensor<2xf32>
      %3 = snug.constant dense<4.0> : tensor<1xf32>
      return
    }
    {-# dialect_resources: { builtin: { w: "0x040000000000803F000000C0" } } #-}
    )mlir");
  std::vector<std::optional<ConstantValues>> values;
  for (ConstantOp op : parsed.all<ConstantOp>()) {
    values.push_back(getConstantValues(op.getResult()));
    ASSERT_TRUE(values.back());
  }
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(elements(*values[0]), (std::vector<float>{1.0f, 2.5f}));
  EXPECT_FALSE(values[0]->isSplat());
  EXPECT_EQ(elements(*values[1]), (std::vector<float>(4, 3.0f)));
  EXPECT_TRUE(values[1]->isSplat());
  EXPECT_EQ(values[1]->getStored().size(), 1u);
  EXPECT_EQ(elements(*values[2]), (std::vector<float>{1.0f, -2.0f}));
  EXPECT_FALSE(values[2]->isSplat());
  EXPECT_EQ(elements(*values[3]), (std::vector<float>{4.0f}));
}

TEST(SnugConstants, NothingWhereThereAreNoValues) {
  ParsedModule parsed(R"mlir(
    func.func @f(%x: tensor<2xf32>) {
      %0 = snug.constant dense_resource<absent> : tensor<2xf32>
      %1 = snug.identity %x : tensor<2xf32>
      return
    })mlir");
  EXPECT_FALSE(getConstantValues(parsed.all<ConstantOp>().at(0).getResult()));
  EXPECT_FALSE(getConstantValues(parsed.all<IdentityOp>().at(0).getResult()));
  EXPECT_FALSE(getConstantValues(parsed.all<IdentityOp>().at(0).getInput()));
  EXPECT_FALSE(getConstantValues(ElementsAttr()));
}

TEST(SnugConstants, MakesAlignedWeightsWithNamesOfTheirOwn) {
  MLIRContext context;
  context.loadDialect<SnugDialect>();
  auto type = RankedTensorType::get({3}, Float32Type::get(&context));
  auto make = [&](float first) {
    return makeWeights(type, "w", [&](MutableArrayRef<float> all) {
      for (size_t i = 0; i < all.size(); ++i)
        all[i] = first + static_cast<float>(i);
    });
  };
  DenseResourceElementsAttr one = make(1.0f), other = make(5.0f);
  EXPECT_EQ(one.getRawHandle().getKey(), "w");
  EXPECT_NE(other.getRawHandle().getKey(), "w");
  const std::optional<ConstantValues> values = getConstantValues(other);
  ASSERT_TRUE(values);
  EXPECT_EQ(elements(*values), (std::vector<float>{5.0f, 6.0f, 7.0f}));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(values->getStored().data()) % 64, 0u);
}
