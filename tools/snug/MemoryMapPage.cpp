// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Draws a memory map as a page, and writes it as JSON.
//
// The drawing is plain SVG: a rectangle for each buffer, whose title a browser
// shows when the mouse rests on it. A page that needs no script stays small,
// opens anywhere and can be attached to a report.
#include "MemoryMapPage.h"
#include "Html.h"
#include "Model.h"

#include "snug/Analysis/Sizes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

namespace snug::tool {

using llvm::formatv;
using nlohmann::ordered_json;

namespace {

// Units of the drawing, which a browser scales to its window.
constexpr double kWidth = 1200, kLeft = 110, kRight = 20, kTop = 20;
constexpr double kArenaHeight = 520, kWeightsHeight = 200, kAxis = 40;

/// Bytes upwards, steps to the right.
class Drawing {
public:
  Drawing(llvm::raw_ostream &out, double top, double height, int64_t steps,
          int64_t bytes)
      : out(out), top(top), height(height), steps(std::max<int64_t>(steps, 1)),
        bytes(std::max<int64_t>(bytes, 1)) {}

  double x(int64_t step) const {
    return kLeft + (kWidth - kLeft - kRight) * static_cast<double>(step) /
                       static_cast<double>(steps);
  }
  double y(int64_t offset) const {
    return top + height * (1 - static_cast<double>(offset) /
                                   static_cast<double>(bytes));
  }

  void block(const MemoryBlock &block) {
    out << formatv("<rect class=\"{0}\" x=\"{1:F2}\" y=\"{2:F2}\" "
                   "width=\"{3:F2}\" height=\"{4:F2}\"><title>{5}\n{6}, {7} B "
                   "at {8}\nsteps {9} to {10}</title></rect>\n",
                   block.kind, x(block.begin), y(block.offset + block.bytes),
                   x(block.end) - x(block.begin),
                   y(block.offset) - y(block.offset + block.bytes),
                   escapeHtml(block.name), block.kind, block.bytes,
                   block.offset, block.begin, block.end - 1);
  }

  /// A line at so many bytes, with words to it.
  void level(llvm::StringRef kind, int64_t at, const std::string &words) {
    out << formatv("<line class=\"{0}\" x1=\"{1:F2}\" x2=\"{2:F2}\" "
                   "y1=\"{3:F2}\" y2=\"{3:F2}\"><title>{4}</title></line>\n",
                   kind, kLeft, kWidth - kRight, y(at), words);
  }

  void axes() {
    for (int tick = 0; tick <= 4; ++tick) {
      const int64_t at = bytes * tick / 4;
      out << formatv("<text class=\"bytes\" x=\"{0:F2}\" "
                     "y=\"{1:F2}\">{2}</text>\n",
                     kLeft - 6, y(at) + 4, formatBytes(at));
    }
    const int64_t apart = std::max<int64_t>(1, (steps + 9) / 10);
    for (int64_t step = 0; step < steps; step += apart)
      out << formatv("<text x=\"{0:F2}\" y=\"{1:F2}\">{2}</text>\n", x(step),
                     top + height + 16, step);
  }

private:
  llvm::raw_ostream &out;
  double top, height;
  int64_t steps, bytes;
};

constexpr llvm::StringLiteral kStyle = R"(
body { font: 14px sans-serif; margin: 2em; color: #222 }
table { border-collapse: collapse } td { padding: 0 1em 0 0 }
svg { width: 100%; height: auto } text { font-size: 12px; fill: #444 }
text.bytes { text-anchor: end } rect { stroke: #fff; stroke-width: 0.6 }
rect:hover { fill: #222 }
.input { fill: #4e79a7 } .output { fill: #59a14f }
.activation { fill: #f2a65a } .workspace { fill: #b07aa1 }
.weights { fill: #9c9ede } .free { fill: #f4f4f4 }
line.peak { stroke: #c00; stroke-width: 1.5 }
line.bound { stroke: #c00; stroke-width: 1; stroke-dasharray: 4 4 }
rect.now { fill: none; stroke: #c00; stroke-width: 1.5; pointer-events: none }
)";

void drawPage(const MemoryMap &map, llvm::raw_ostream &out) {
  const int64_t steps = static_cast<int64_t>(map.steps.size());
  const std::string peakName =
      map.steps.empty() ? "nothing" : escapeHtml(map.steps[map.peakStep]);
  const int64_t live = map.steps.empty() ? 0 : map.liveBytes[map.peakStep];
  const int64_t weightsPeak =
      std::max_element(map.residentWeights.begin(), map.residentWeights.end()) -
      map.residentWeights.begin();
  out << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      << "<title>Memory of " << escapeHtml(map.model) << "</title><style>"
      << kStyle << "</style></head><body>\n<h1>Memory of "
      << escapeHtml(map.model) << "</h1>\n<table>\n";
  for (auto [name, bytes] :
       {std::pair{"weights", map.memory.weights},
        std::pair{"activations", map.memory.activations},
        std::pair{"workspace", map.memory.workspace},
        std::pair{"runtime overhead", map.memory.runtimeOverhead},
        std::pair{"peak of the process", map.memory.peak},
        std::pair{"arena", map.memory.arena},
        std::pair{"peak of the addresses", map.peak},
        std::pair{"lower bound of that", map.lowerBound}})
    out << formatv("<tr><td>{0}</td><td>{1}</td><td>{2} B</td></tr>\n", name,
                   formatBytes(bytes), bytes);
  out << formatv("</table>\n<p>Most bytes are live, {0}, in step {1}: "
                 "{2}.</p>\n<p>",
                 formatBytes(live), map.peakStep, peakName);
  for (llvm::StringRef kind :
       {"input", "output", "activation", "workspace", "weights"})
    out << formatv("<svg style=\"width:1em;height:1em\"><rect class=\"{0}\" "
                   "width=\"16\" height=\"16\"/></svg> {0} &nbsp; ",
                   kind);
  out << "bytes upwards, steps to the right; rest the mouse on a block for its "
         "name</p>\n";

  Drawing arena(out, kTop, kArenaHeight, steps, map.memory.arena);
  const double weightsTop = kTop + kArenaHeight + kAxis;
  out << formatv("<h2>Arena</h2>\n<svg viewBox=\"0 0 {0} {1}\">\n", kWidth,
                 weightsTop);
  arena.block({"free", "free", 0, map.memory.arena, 0, steps});
  for (const MemoryBlock &block : map.arena)
    if (block.bytes > 0)
      arena.block(block);
  arena.level("peak", map.peak,
              formatv("peak of the addresses: {0} B", map.peak));
  arena.level("bound", map.lowerBound,
              formatv("lower bound: {0} B", map.lowerBound));
  out << formatv("<rect class=\"now\" x=\"{0:F2}\" y=\"{1:F2}\" "
                 "width=\"{2:F2}\" height=\"{3:F2}\"/>\n",
                 arena.x(map.peakStep), kTop,
                 arena.x(map.peakStep + 1) - arena.x(map.peakStep),
                 kArenaHeight);
  arena.axes();
  out << "</svg>\n";

  // Streamed ones are drawn where they lie in the file: below each other, in
  // memory at the steps that their blocks span.
  int64_t sectionBytes = map.memory.weights;
  for (const MemoryBlock &block : map.weights)
    sectionBytes = std::max(sectionBytes, block.offset + block.bytes);
  out << formatv("<h2>Weights</h2>\n<p>{0}</p>\n<svg viewBox=\"0 0 {1} "
                 "{2}\">\n",
                 map.streamsWeights
                     ? formatv("A block spans the steps that read it; only "
                               "then it is in memory, with what else its tiled "
                               "group reads. Most at once, {0}, in step {1}.",
                               formatBytes(map.memory.weights), weightsPeak)
                           .str()
                     : "All of them stay resident; a block spans the steps "
                       "that read it.",
                 kWidth, kTop + kWeightsHeight + kAxis);
  Drawing weights(out, kTop, kWeightsHeight, steps, sectionBytes);
  weights.block({map.streamsWeights ? "weights in the plan file" : "resident",
                 "free", 0, sectionBytes, 0, steps});
  for (const MemoryBlock &block : map.weights)
    weights.block(block);
  if (map.streamsWeights)
    out << formatv("<rect class=\"now\" x=\"{0:F2}\" y=\"{1:F2}\" "
                   "width=\"{2:F2}\" height=\"{3:F2}\"/>\n",
                   weights.x(weightsPeak), kTop,
                   weights.x(weightsPeak + 1) - weights.x(weightsPeak),
                   kWeightsHeight);
  weights.axes();
  out << "</svg>\n</body></html>\n";
}

ordered_json blocksToJson(const std::vector<MemoryBlock> &blocks) {
  ordered_json list = ordered_json::array();
  for (const MemoryBlock &block : blocks)
    list.push_back({{"name", block.name},
                    {"kind", block.kind},
                    {"offset", block.offset},
                    {"bytes", block.bytes},
                    {"begin", block.begin},
                    {"end", block.end}});
  return list;
}

} // namespace

bool writeMemoryMapPage(const MemoryMap &map, const std::string &file) {
  return writeFile(file, [&](llvm::raw_ostream &out) {
    drawPage(map, out);
    return true;
  });
}

ordered_json toJson(const MemoryMap &map) {
  return {{"steps", map.steps},
          {"live", map.liveBytes},
          {"streams_weights", map.streamsWeights},
          {"resident_weights", map.residentWeights},
          {"peak_step", map.peakStep},
          {"arena", blocksToJson(map.arena)},
          {"weights", blocksToJson(map.weights)}};
}

} // namespace snug::tool
