"""Train one stage of ECHO.

    python -m inference.training STAGE --config FILE [--resume]

STAGE: vision (our small tower, from nothing), ar (Stage I), rad (Stage II), dcd (Stage III,
trajectories included). The stage's model goes to OUTPUT/STAGE, a folder the engine loads and the
next stage starts from; log, checkpoint and loss curves to OUTPUT. With several GPUs:

    accelerate launch --num_processes 4 -m inference.training rad --config FILE
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from inference.api import EngineError
from inference.training.adapt_rad import adapt_rad
from inference.training.config import STAGES, ConfigError, read_config
from inference.training.data.manifest_pairs import UnusableManifest
from inference.training.distill_dcd import distill_dcd
from inference.training.loop import DivergedTraining, resume_path
from inference.training.pretrain_ar import pretrain_ar
from inference.training.stage_setup import StageSetup, open_stage
from inference.training.warm_up_vision import warm_up_vision

_RUN: dict[str, Callable[[StageSetup], None]] = {
    "vision": warm_up_vision,
    "ar": pretrain_ar,
    "rad": adapt_rad,
    "dcd": distill_dcd,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 2 where configuration, data or start can't be used, or training diverged."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--resume", action="store_true", help="go on where the run was stopped")
    options = parser.parse_args(arguments)
    try:
        config = read_config(options.config)
        begun = [resume_path(config.output, options.stage)]
        if options.stage == "dcd":  # another teacher's trajectories are not this one's
            begun.append(config.output / "trajectories")
        if not options.resume and any(path.exists() for path in begun):
            raise ConfigError(
                f"{config.output} holds a run of {options.stage}: go on with --resume, or remove it"
            )
        _RUN[options.stage](open_stage(options.stage, config))
    except (
        ConfigError, DivergedTraining, EngineError, FileNotFoundError, UnusableManifest,
    ) as error:  # fmt: skip
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
