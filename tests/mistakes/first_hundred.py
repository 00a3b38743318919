"""A hundred mistakes that people make: twenty kinds, each in five specs.

What is exchanged stands once in its spec; `«»` surrounds the culprit, which is to be pointed at.
"""

from mistakes.planted import Planted, kind

HUNDRED: list[Planted] = [
    *kind(
        "a layer misspelt",
        ("video.yaml", "- max_pool3d: {", "- «MaxPool3d»: {"),
        ("speech.codsl", "gru(48)", "«grru»(48)"),
        ("streams.codsl", "flatten\n  action", "«Flatten»\n  action"),
        ("inception.yaml", "- silu", "- «SiLU»"),
        ("gestures.codsl", "softmax(1)", "«sofmax»(1)"),
    ),
    *kind(
        "an argument misspelt",
        ("video.codsl", "padding=(1, 3, 3)", "«pading»=(1, 3, 3)"),
        ("speech.yaml", "dilation: ", "«dilatoin»: "),
        ("streams.yaml", "negative_slope", "«slope»"),
        ("inception.codsl", "kernel_size=8", "«kernelsize»=8"),
        ("gestures.yaml", "num_layers", "«n_layers»"),
    ),
    *kind(
        "a layer for another number of dimensions",
        ("video.yaml", "conv3d: {name: stem", "«conv2d»: {name: stem"),
        ("speech.codsl", "avg_pool1d(2)", "«avg_pool2d»(2)"),
        ("streams.codsl", "adaptive_max_pool3d", "«adaptive_max_pool2d»"),
        ("inception.codsl", "batch_norm3d", "«batch_norm2d»"),
        ("gestures.yaml", "conv2d: {name: conv1", "«conv3d»: {name: conv1"),
    ),
    *kind(
        "an argument left out",
        ("video.codsl", "conv3d(width, (3, 7, 7), stride", "«conv3d»(width, stride"),
        ("speech.yaml", "avg_pool1d: {kernel_size: 2}", "«avg_pool1d»"),
        (
            "streams.yaml",
            "conv3d: {name: fuse, out_channels: $(4 * width), kernel_size: 1}",
            "«conv3d»: {name: fuse, out_channels: $(4 * width)}",
        ),
        ("inception.yaml", "linear: {name: fc, out_features: $classes}", "«linear»: {name: fc}"),
        ("gestures.codsl", "score = linear(classes)", "score = «linear»"),
    ),
    *kind(
        "groups that do not divide the channels",
        (
            "video.codsl",
            "groups=2)\n  stage2",
            "groups=5)\n  stage2",
            "padding=1, groups=«groups», bias",
        ),
        ("speech.yaml", "kernel_size: 3, padding: 1}", "kernel_size: 3, padding: 1, groups: «7»}"),
        ("streams.codsl", "fuse = conv3d(4 * width, 1)", "fuse = conv3d(4 * width, 1, groups=«3»)"),
        (
            "inception.yaml",
            "stride: [2, 2, 2], padding: 1}",
            "stride: [2, 2, 2], padding: 1, groups: «100»}",
        ),
        ("gestures.codsl", "groups=4", "groups=«6»"),
    ),
    *kind(
        "a window or a padding that does not fit",
        ("video.yaml", "kernel_size: [3, 7, 7]", "kernel_size: «[3, 77, 77]»"),
        ("speech.codsl", "conv1d(48, 3, padding=1)", "conv1d(48, 3, padding=«3»)"),
        (
            "streams.codsl",
            "conv3d(2 * width, 3, stride=(1, 2, 2), padding=1)",
            "conv3d(2 * width, «(3, 40, 40)», stride=(1, 2, 2), padding=1)",
        ),
        (
            "inception.codsl",
            "max_pool3d((1, 3, 3), stride=1, padding=(0, 1, 1))",
            "max_pool3d((1, 3, 3), stride=1, padding=«(1, 1, 1)»)",
        ),
        ("gestures.yaml", "- max_pool2d: 2", "- max_pool2d: «16»"),
    ),
    *kind(
        "a word that is none",
        ("video.codsl", "padding=1, groups=groups", 'padding=«"smae"», groups=groups'),
        ("speech.codsl", 'padding="causal"', "padding=«causal»"),
        ("streams.yaml", "padding: [1, 2, 2]", "padding: «valid»"),
        ("inception.yaml", "padding: same", "padding: «SAME»"),
        ("gestures.codsl", 'shrink="lagging"', 'shrink=«"laging"»'),
    ),
    *kind(
        "a name that stands twice",
        ("video.yaml", "batch_norm3d: {name: norm2}", "batch_norm3d: {name: «norm1»}"),
        ("speech.codsl", "near = conv1d", "«context» = conv1d"),
        ("streams.yaml", "conv3d: {name: conv2", "conv3d: {name: «conv1»"),
        ("inception.codsl", "b3 {", "«b1» {"),
        ("gestures.yaml", "linear: {name: score", "linear: {name: «embed»"),
    ),
    *kind(
        "a value that nothing has as its name",
        ("video.codsl", "flatten\n", "flatten from «stage1_2»\n"),
        ("speech.yaml", "from: [context, near]", "from: [context, «nearby»]"),
        ("streams.codsl", "from move.conv2", "from move.«conv_2»"),
        ("inception.codsl", "silu\n", "silu from «squeze»\n"),
        ("gestures.codsl", "embed = linear(hidden)", "embed = linear(hidden) from «back_bone»"),
    ),
    *kind(
        "a shortcut of other channels than the body",
        (
            "video.codsl",
            "when stride != 1 or in_channels != out {",
            "when stride != 1 {",
            "  «residual» {",
        ),
        (
            "speech.codsl",
            "up = conv1d(channels[i - 1], 1)",
            "up = conv1d(in_channels, 1)",
            "gate = «residual»(",
        ),
        (
            "speech.yaml",
            "hidden_size: 48",
            "hidden_size: 40",
            "- «join»: {aggregation",
        ),
        ("inception.codsl", 'parallel("concat")', '«parallel»("sum")'),
        (
            "gestures.yaml",
            "conv2d: {name: conv2, out_channels: 8",
            "conv2d: {name: conv2, out_channels: 16",
            "- «residual»:\n            layers:",
        ),
    ),
    *kind(
        "branches of different length over time",
        (
            "video.yaml",
            "padding: 1\n                groups",
            "padding: [0, 1, 1]\n                groups",
            "      - «residual»:\n          layers:",
        ),
        ("speech.codsl", "conv1d(48, 3, padding=1)", "conv1d(48, 3)", '  «join»("sum")'),
        (
            "streams.codsl",
            'both = join("concat") from look, move',
            "late = avg_pool3d((3, 1, 1), stride=1) from move\n"
            '  both = «join»("concat") from look, late',
        ),
        (
            "inception.codsl",
            'conv = conv3d(out, kernel, padding="same", bias=false)',
            "conv = conv3d(out, kernel, padding=(0, 0, 0) if kernel == 1 else (0, 1, 1), "
            "bias=false)",
            'mixed = «parallel»("concat")',
        ),
        ("gestures.yaml", "      shrink: lagging\n", "", "- «residual»:\n      name: smooth"),
    ),
    *kind(
        "a bracket, a comma or a quote that is missing",
        ("video.codsl", "max_pool3d((1, 3, 3), stride", "max_pool3d((1, 3, 3) «stride»"),
        (
            "speech.codsl",
            "near = conv1d(48, 3, padding=1) from",
            "near = conv1d(48, 3, padding=1 «from»",
        ),
        ("streams.codsl", 'join("concat")', 'join(«"»concat)'),
        (
            "inception.codsl",
            "let c = round_to(64 * width, 8)\n",
            "let c = round_to(64 * width, 8\n",
            "  «mixed» = parallel",
        ),
        ("gestures.yaml", "dropout_p: 0.2, deep", "dropout_p: 0.2 «deep»"),
    ),
    *kind(
        "indentation, tabs and flow style of YAML",
        ("video.yaml", "      - relu\nlayers", "«\t»  - relu\nlayers"),
        (
            "speech.yaml",
            "out_channels: $(in_channels // 4)",
            "out_channels: «$(max(in_channels // 4, 1))»",
        ),
        ("streams.yaml", "output_size: [1, 2, 2]", "output_size: «(1, 2, 2)»"),
        (
            "inception.yaml",
            "linear: {name: fc, out_features: $classes}",
            "linear: {name: fc, out_features: «${classes}»}",
        ),
        (
            "gestures.yaml",
            "- linear: {name: score, out_features: $classes}",
            "- «linear:»\n    name: score\n    out_features: $classes",
        ),
    ),
    *kind(
        "a key or an argument that stands twice",
        ("video.yaml", "kernel_size: 3\n", "kernel_size: 3\n                «kernel_size»: 1\n"),
        ("speech.codsl", "conv1d(48, 3, padding=1)", "conv1d(48, 3, «kernel_size»=3, padding=1)"),
        (
            "streams.yaml",
            "{name: head, out_features: 3}",
            "{name: head, out_features: 3, «name»: score}",
        ),
        (
            "inception.yaml",
            "kernel_size: 3, stride: [2, 2, 2]",
            "kernel_size: 3, stride: [2, 2, 2], «stride»: 2",
        ),
        (
            "gestures.codsl",
            "lstm(hidden, num_layers=2)",
            "lstm(hidden, num_layers=2, «num_layers»=3)",
        ),
    ),
    *kind(
        "a value of another type",
        ("video.yaml", "out_channels: $width", 'out_channels: «"64"»'),
        ("speech.yaml", "out_channels: 48", "out_channels: «48.0»"),
        ("streams.codsl", "fuse = conv3d(4 * width, 1)", "fuse = conv3d(4 * width, 1, bias=«0»)"),
        ("inception.yaml", "bias: false", "bias: «no»"),
        ("gestures.codsl", "linear(hidden)", "linear(«hidden / 2»)"),
    ),
    *kind(
        "a name of a value that is not defined",
        ("video.codsl", "linear(classes)", "linear(«clases»)"),
        ("speech.codsl", "block[i in 1..depth] = {", "block[i in 1..«dept»] = {"),
        (
            "streams.yaml",
            "tower: {name: look, from: rgb, width: $width}",
            "tower: {name: look, from: rgb, width: «$wdth»}",
        ),
        ("inception.yaml", "out_channels: $c,", "out_channels: «$C»,"),
        ("gestures.codsl", "dropout(dropout_p)", "dropout(«dropout»)"),
    ),
    *kind(
        "an expression that cannot be worked out",
        (
            "video.yaml",
            "kernel_size: 1, bias: false}\n            - batch_norm3d: {name: norm1}",
            "kernel_size: $(«1 // (groups - groups)»), bias: false}\n"
            "            - batch_norm3d: {name: norm1}",
        ),
        ("speech.codsl", "conv = conv1d(channels[i - 1]", "conv = conv1d(channels[«i»]"),
        ("streams.codsl", "fuse = conv3d(4 * width, 1)", 'fuse = conv3d(4 * «"width"», 1)'),
        ("inception.yaml", "$(round_to(64 * width, 8))", "$(«round_to(64 * width)»)"),
        ("gestures.codsl", "hidden, num_layers=2", "hidden, num_layers=«min()»"),
    ),
    *kind(
        "what no stream can do",
        ("video.codsl", "adaptive_avg_pool3d(1, kernel_size=8)", "«adaptive_avg_pool3d»(1)"),
        ("speech.yaml", "padding: causal,", "padding: same, padding_mode: «reflect»,"),
        (
            "streams.yaml",
            "output_size: 1, kernel_size: $window",
            "output_size: 1",
            "- «adaptive_avg_pool3d»: {from: fuse",
        ),
        ("inception.codsl", "bn = batch_norm3d", "bn = batch_norm3d(track_running_stats=«false»)"),
        ("gestures.codsl", "softmax(1)", "softmax(«2»)"),
    ),
    *kind(
        "frames with space where vectors are asked for",
        ("video.codsl", "flatten\n  dropout(0.5)\n", "dropout(0.5)\n", "head = «linear»(classes)"),
        (
            "streams.codsl",
            "flatten\n    head = linear(3)",
            "head = «linear»(3)",
        ),
        ("streams.yaml", "- flatten\n  - linear", "- relu\n  - «linear»"),
        ("inception.yaml", "- flatten\n  - linear", "- «linear»"),
        ("gestures.codsl", "flatten\n", "relu\n", "embed = «linear»(hidden)"),
    ),
    *kind(
        "an input that is none",
        ("video.codsl", "input (3, T, 56, 56)", "input «(T, 3, 56, 56)»"),
        ("speech.yaml", "[40, T]", "«[40]»"),
        ("streams.yaml", "flow: [2, T, 32, 32]", "flow: «[2, 32, 32]»"),
        ("inception.codsl", "input (192, T, 28, 28)", "input (192, T, «-28», 28)"),
        ("gestures.yaml", "[3, T, 24, 24]", "«[1, 3, T, 24, 24]»"),
    ),
]
