# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small networks for tests whose graphs branch: concats, skips, gates, several inputs and outputs."""


def plain(b, x, channels, kernel=3, **options):
    return b.relu(b.conv(x, channels, kernel, pads=kernel // 2, **options))


def concat(b, x):
    """Concats of the input, of one value twice, of concats, of other axes; a part used twice."""
    y = plain(b, x, 7)
    z = b.concat([x, y, plain(b, y, 5)])
    both = b.concat([y, plain(b, z, 6), y])
    x = b.concat([plain(b, both, 9), b.max_pool(both, 3, 1, pads=1)])
    x = b.concat([b.average_pool(x, 2, 2), b.max_pool(plain(b, x, 4), 2, 2)])
    x = plain(b, x, 8)
    x = b.concat([x, b.slice(x, [0], [3], [2])], axis=2)
    x = b.concat([plain(b, x, 6, 1), b.conv(x, 6, 1)], axis=3)
    return b.conv(x, 5, 3)


def repeats(b, x):
    """One value twice, in concats of concats and along every axis; layers that share their weights; results under other shapes
    and under two names."""
    x = plain(b, x, 6)
    twice = b.concat([x, x])
    x = plain(b, b.concat([x, twice, b.concat([twice, x])]), 8)
    x = plain(b, b.concat([x, x, x], axis=3), 8, stride=2)
    x = plain(b, b.concat([x, b.max_pool(x, 3, 1, pads=1), x], axis=2), 8, stride=(2, 1))
    scores = []
    for y in (x, plain(b, x, 8, stride=2), b.max_pool(x, 3, 2)):
        for _ in range(2):
            y = plain(b, y, 8, shared="tower")
        scores.append(b.squeeze(b.sigmoid(b.conv(y, 1, 1, shared="score")), [1]))
    return [*scores, b.identity(scores[1]), b.identity(x)]


def dense(b, x):
    """Dense blocks: all before concatenated anew for each layer, batch norm and relu behind."""
    x = b.max_pool(b.relu(b.batch_norm(b.conv(x, 10, 5, stride=2, pads=2, bias=False))), 3, 1, pads=1)
    for count in (3, 4):
        parts = [x]
        for _ in range(count):
            y = b.relu(b.batch_norm(b.concat(parts)))
            y = b.relu(b.batch_norm(b.conv(y, 12, 1, bias=False)))
            parts.append(b.conv(y, 5, 3, pads=1, bias=False))
        x = b.relu(b.batch_norm(b.concat(parts)))
        x = b.average_pool(b.conv(x, x.channels // 2, 1, bias=False), 2, 2)
    return x


def blocks(b, x):
    """Inception modules with a strided one between, no two branches alike."""
    def module(y):
        return b.concat([plain(b, y, 6, 1), plain(b, plain(b, y, 4, 1), 7), plain(b, plain(b, plain(b, y, 3, 1), 5), 5),
                         plain(b, b.average_pool(y, 3, 1, pads=1), 3, 1)])

    x = module(plain(b, x, 9, stride=2))
    x = b.concat([b.relu(b.conv(x, 8, 3, stride=2)), b.max_pool(x, 3, 2)])
    x = module(x)
    rows, columns = b.relu(b.conv(x, 6, (1, 5), pads=(0, 2))), b.relu(b.conv(x, 6, (5, 1), pads=(2, 0)))
    return b.conv(b.concat([rows, columns, x]), 7, 1)


def shuffle(b, x):
    """Splits, shuffles and grouped convolutions; parts of unlike size."""
    x = plain(b, x, 15)
    x = b.channel_shuffle(plain(b, x, 15, groups=3), 3)
    kept, y, z = b.split(x, [4, 6, 5])
    y = plain(b, plain(b, y, 6, 1), 6, groups=6)
    x = b.concat([kept, y, b.conv(z, 6, 3, pads=1)])
    x = b.channel_shuffle(x, 4)
    top, bottom = b.split(plain(b, x, 8, stride=2), [7, 9], axis=2)
    x = b.concat([b.relu(bottom), top], axis=2)
    return b.channel_shuffle(b.conv(x, 10, 3), 5)


def skips(b, x):
    """A small U-Net: skips over all that is between, transposed convolutions, a sum beside a concat."""
    first = plain(b, plain(b, x, 6), 6)
    second = plain(b, b.max_pool(first, 2, 2), 10)
    third = plain(b, b.max_pool(second, 2, 2), 14)
    y = plain(b, b.max_pool(third, 2, 2), 18)
    y = plain(b, b.concat([third, b.conv_transpose(y, 9, 2, 2)]), 14)
    y = plain(b, b.add(second, b.conv_transpose(y, 10, 2, 2)), 10)
    y = plain(b, b.concat([first, b.upsample(y)]), 6)
    return b.sigmoid(b.conv(y, 2, 1))


def squeeze(b, x):
    """Inverted residuals with squeeze and excite, hard swish and swish, as mobile networks have them."""
    x = b.hard_swish(b.batch_norm(b.conv(x, 12, 3, stride=2, pads=1, bias=False)))
    for channels, kernel, stride in ((12, 3, 1), (15, 5, 2), (15, 3, 1)):
        y = b.hard_swish(b.batch_norm(b.conv(x, 26, 1, bias=False)))
        y = b.swish(b.batch_norm(b.conv(y, 26, kernel, stride=stride, pads=kernel // 2, groups=26, bias=False)))
        gate = b.relu(b.conv(b.global_average_pool(y), 7, 1))
        y = b.multiply(y, b.hard_sigmoid(b.conv(gate, 26, 1)))
        y = b.batch_norm(b.conv(y, channels, 1, bias=False))
        x = b.add(y, x) if stride == 1 and x.channels == channels else y
    return b.gemm(b.flatten(b.global_average_pool(x)), 10, gain=1.0)


def outputs(b, x):
    """Several outputs: used further on, a part of a concat, a vector, the last."""
    x = plain(b, x, 8)
    used = b.conv(x, 7, 3, pads=1)
    y = plain(b, used, 9, stride=2)
    part = b.leaky(b.conv(y, 5, 3, pads=1))
    joined = b.concat([part, y])
    vector = b.softmax(b.gemm(b.flatten(b.global_average_pool(joined)), 6, gain=1.0))
    return [used, vector, part, b.conv(joined, 4, 3)]


def inputs(b, x):
    """Several inputs: an image, a smaller one, a vector that gates."""
    image = b.network_input((x.shape[0], 5, (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2), "small")
    vector = b.network_input((x.shape[0], 6), "vector")
    y = b.concat([plain(b, x, 8, stride=2), image])
    gate = b.sigmoid(b.gemm(vector, 13, gain=1.0))
    y = b.multiply(y, b.unsqueeze(gate, [2, 3]))
    return b.conv(b.add(b.conv(y, 7, 3, pads=1), b.conv(image, 7, 1)), 6, 3)


def pyramid(b, x):
    """Dilated branches, one of them of the whole plane resized back, and a pyramid with sums."""
    fine = plain(b, x, 8)
    middle = plain(b, fine, 10, stride=2)
    coarse = plain(b, middle, 12, stride=2)
    branches = [plain(b, coarse, 6, 1)]
    branches += [b.relu(b.conv(coarse, 6, 3, pads=rate, dilation=rate)) for rate in (2, 3)]
    branches.append(b.resize_like(plain(b, b.global_average_pool(coarse), 6, 1), coarse))
    y = plain(b, b.concat(branches), 9, 1)
    y = b.add(b.resize_like(y, middle, "nearest"), plain(b, middle, 9, 1))
    y = b.concat([b.resize_like(plain(b, y, 7), fine), plain(b, fine, 4, 1)])
    return b.conv(y, 5, 3, pads=1)


def views(b, x):
    """Reshapes and transposes that cancel, that end nowhere near an image, and one that makes an image again."""
    x = plain(b, x, 9)
    batch, channels, height, width = x.shape
    y = b.transpose(b.transpose(x, [0, 2, 3, 1]), [0, 3, 1, 2])
    x = plain(b, b.add(x, y), 6)
    x = b.reshape(x, (batch, 3, 2, height, width))
    x = b.reshape(b.transpose(x, [0, 2, 1, 4, 3]), (batch, 6, width, height))
    x = plain(b, x, 8)
    x = b.reshape(x, (batch, 8 * width, height))
    x = b.transpose(b.multiply(x, b.weight((1, 1, height))), [1, 0, 2])
    x = b.reshape(b.relu(x), (8, batch, width, height))
    return b.conv(b.transpose(x, [1, 0, 3, 2]), 4, 3)
