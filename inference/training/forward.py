"""One forward pass over prompt and answer copies, as all three stages need it."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.decoding.prompt_ids import rope_positions
from inference.report_language.statements import Language
from inference.training.dataset import PromptFrame
from inference.training.tokenizer import LANGUAGES


class ReportForward:
    """Embeds prompt and answer ids and runs the language model under a given mask.

    Everything the stages share; what differs (mask, targets) is theirs.
    """

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration, frame: PromptFrame) -> None:
        self.model, self.frame = model, frame
        self._prompt = torch.tensor(frame.ids)
        self._is_image = self._prompt == model.config.image_token_id
        grids = [frame.grid] * frame.images
        self._positions = rope_positions(model, frame.ids, grids, frame.length + 512)

    def vision_features(self, films: torch.Tensor) -> torch.Tensor:
        """[B, images, size, size] to [B, images * tokens, hidden]; films don't see each other."""
        grid = torch.tensor([self.frame.grid] * (films.numel() // films[0, 0].numel()))
        features = self.model.model.visual(self.frame.patches(films), grid_thw=grid)
        return features.pooler_output.view(films.shape[0], -1, features.pooler_output.shape[-1])

    def positions(self, start: int, length: int) -> torch.Tensor:
        """[3, length] mRoPE positions of sequence positions start, start + 1 ..."""
        return self._positions[:, start : start + length]

    def _embed_prompt(self, features: torch.Tensor) -> torch.Tensor:
        embed = self.model.model.language_model.embed_tokens
        prompt = embed(self._prompt).expand(features.shape[0], -1, -1).clone()
        prompt[:, self._is_image] = features.to(prompt.dtype)
        return prompt

    def prefill(self, features: torch.Tensor, cache: object, mask: torch.Tensor) -> None:
        """Run the prompt alone into a transformers-like cache (update, get_seq_length)."""
        positions = self.positions(0, self.frame.length)
        self.model.model.language_model(
            inputs_embeds=self._embed_prompt(features),
            position_ids=positions[:, None].expand(-1, features.shape[0], -1),
            attention_mask={"full_attention": mask[None, None]},
            past_key_values=cache,
            use_cache=True,
        )

    def hidden_states(
        self, features: torch.Tensor, copies: list[torch.Tensor], mask: torch.Tensor
    ) -> torch.Tensor:
        """Hidden states [B, 1 + copies * R, hidden]: the prompt's last position, then the copies.

        mask: [P + n·R, P + n·R] bool. All copies share the answer's position ids (RAD, Stage II).
        """
        answer_length = copies[0].shape[1]
        embed = self.model.model.language_model.embed_tokens
        embeds = torch.cat([self._embed_prompt(features), *(embed(copy) for copy in copies)], dim=1)
        head = self.positions(0, self.frame.length)
        tail = self.positions(self.frame.length, answer_length)
        positions = torch.cat([head] + [tail] * len(copies), dim=1)[:, None]
        output = self.model.model.language_model(
            inputs_embeds=embeds,
            position_ids=positions.expand(-1, features.shape[0], -1),
            attention_mask={"full_attention": mask[None, None]},
            use_cache=False,
        )
        return output.last_hidden_state[:, self.frame.length - 1 :]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.model.lm_head(hidden)


def build_forwards(
    model: Qwen2_5_VLForConditionalGeneration, tokenizer: Tokenizer
) -> dict[tuple[Language, int], ReportForward]:
    """One per (language, number of films), all of the same model."""
    return {
        (language, images): ReportForward(model, PromptFrame(tokenizer, language, images))
        for language in LANGUAGES
        for images in (1, 2)
    }


def masked_cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, chosen: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy in fp32 over the chosen positions. logits [B, R, V], others [B, R]."""
    return functional.cross_entropy(logits[chosen].float(), targets[chosen])
