import { describe, expect, it } from "vitest";
import { escapeHtml } from "./escape-html.ts";

describe("escapeHtml()", () => {
  it("leaves nothing that begins or ends an element, an attribute or an entity", () => {
    expect(escapeHtml(`<b title="it's">&amp;</b>`)).toBe(
      "&lt;b title=&quot;it&#39;s&quot;&gt;&amp;amp;&lt;/b&gt;",
    );
  });
});
