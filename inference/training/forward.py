"""One forward pass over prompt and answer copies, as all stages need it."""

from __future__ import annotations

import torch
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.decoding.prompt_ids import rope_positions
from inference.training.data.prompt_frame import Kind, PromptFormat, PromptFrame
from inference.training.layouts.region_layout import RegionLayout

_LONGEST_ANSWER = 1024


class ReportForward:
    """Embeds prompt and answer ids and runs the language model under a given mask.

    Everything the stages share; what differs (mask, targets) is theirs. One kind of study.
    """

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration, frame: PromptFrame) -> None:
        self.model, self.frame = model, frame
        self.device = model.lm_head.weight.device
        prompt = torch.tensor(frame.ids)
        self._prompt = prompt.to(self.device)
        self._names = torch.tensor(frame.name_ids, dtype=torch.long, device=self.device)
        self._is_image = self._prompt == model.config.image_token_id
        grids = list(frame.kind.grids)
        length = frame.length + _LONGEST_ANSWER
        self._positions = rope_positions(model, frame.ids, grids, length).to(self.device)

    @property
    def mask_id(self) -> int:
        return int(self.model.config.mask_token_id)

    def precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16)

    def vision_features(self, patches: torch.Tensor) -> torch.Tensor:
        """[B * patches, ...] of B studies to [B, image tokens, hidden]; films don't see others."""
        grids = self.frame.kind.grids
        count = patches.shape[0] // sum(rows * columns for _, rows, columns in grids)
        visual = self.model.model.visual
        grid = torch.tensor(grids * count, device=self.device)
        features = visual(patches.to(self.device, visual.dtype), grid_thw=grid).pooler_output
        return features.view(count, self.frame.image_tokens, features.shape[-1])

    def positions(self, start: int, length: int) -> torch.Tensor:
        """[3, length] mRoPE positions of sequence positions start, start + 1 ..."""
        return self._positions[:, start : start + length]

    def answer_positions(self, offsets: torch.Tensor) -> torch.Tensor:
        """[3, ...] mRoPE positions so far behind the prompt, offsets on the device."""
        return self._positions[:, self.frame.length + offsets]

    def _embed_prompt(self, features: torch.Tensor) -> torch.Tensor:
        embed = self.model.model.language_model.embed_tokens
        prompt = embed(self._prompt).expand(features.shape[0], -1, -1).clone()
        prompt[:, self._is_image] = features.to(prompt.device, prompt.dtype)
        return prompt

    def prefill(self, features: torch.Tensor, cache: object, mask: torch.Tensor) -> None:
        """Run the prompt alone into a transformers-like cache (update, get_seq_length)."""
        positions = self.positions(0, self.frame.length)
        self.model.model.language_model(
            inputs_embeds=self._embed_prompt(features),
            position_ids=positions[:, None].expand(-1, features.shape[0], -1),
            attention_mask={"full_attention": mask[None, None].to(self.device)},
            past_key_values=cache,
            use_cache=True,
        )

    def hidden_states(
        self, features: torch.Tensor, copies: list[torch.Tensor], mask: torch.Tensor,
        layout: RegionLayout | None = None,
    ) -> torch.Tensor:  # fmt: skip
        """Hidden states [B, 1 + copies * R, hidden]: the position before the copies, then these.

        mask: [T, T] or [B, T, T] bool over context, names (with a layout) and copies. All copies
        share the answer's position ids (RAD, Stage II); layout: where answers are streams.
        """
        batch, answer_length = copies[0].shape
        embed = self.model.model.language_model.embed_tokens
        answers = [embed(copy.to(self.device)) for copy in copies]
        head, before = self.positions(0, self.frame.length), [self._embed_prompt(features)]
        if layout is None:
            tail = self.positions(self.frame.length, answer_length)[:, None].expand(-1, batch, -1)
        else:
            before.append(embed(self._names).expand(batch, -1, -1))
            name = self.positions(self.frame.length, 1).expand(-1, len(self._names))
            head = torch.cat([head, name], dim=1)
            tail = self.answer_positions(layout.offsets(self.frame.block_length).to(self.device))
        positions = torch.cat([head[:, None].expand(-1, batch, -1)] + [tail] * len(copies), dim=2)
        output = self.model.model.language_model(
            inputs_embeds=torch.cat([*before, *answers], dim=1),
            position_ids=positions,
            attention_mask={"full_attention": mask.view(-1, 1, *mask.shape[-2:]).to(self.device)},
            use_cache=False,
        )
        return output.last_hidden_state[:, head.shape[1] - 1 :]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.model.lm_head(hidden)


class Forwards:
    """A ReportForward for each kind of study, of one model; made when first asked for."""

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration, prompt: PromptFormat) -> None:
        self.model, self.prompt = model, prompt
        self._made: dict[Kind, ReportForward] = {}

    def __getitem__(self, kind: Kind) -> ReportForward:
        if kind not in self._made:
            self._made[kind] = ReportForward(self.model, PromptFrame(self.prompt, kind))
        return self._made[kind]


def masked_cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, chosen: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy in fp32 over the chosen positions. logits [B, R, V], others [B, R]."""
    chosen = chosen.to(logits.device)
    return functional.cross_entropy(logits[chosen].float(), targets.to(logits.device)[chosen])
