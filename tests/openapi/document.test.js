// Both programs' /openapi.json: valid to a public validator, and what the
// programs answer has the shapes that it says.
import assert from "node:assert/strict";
import test from "node:test";
import { validate } from "@readme/openapi-parser";
import Ajv2020 from "ajv/dist/2020.js";

const PROGRAMS = ["HALLMARK_ORACLE", "HALLMARK_VERIFIERD"];
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const sha256 = async (text) => hex(await crypto.subtle.digest(
  "SHA-256", new TextEncoder().encode(text)));

for (const name of PROGRAMS) {
  const base = process.env[name];
  const load = async () => (await fetch(`${base}/openapi.json`)).json();

  test(`${name}: the document is valid OpenAPI 3.1`, async () => {
    const found = await validate(await load());
    assert.equal(found.valid, true, JSON.stringify(found.errors, null, 1));
    assert.deepEqual(found.warnings, []);
  });

  test(`${name}: the validator can refuse`, async () => {
    const document = await load();
    delete document.paths["/price/{feed}"].get.responses["200"].description;
    assert.equal((await validate(document)).valid, false);
    const other = await load();
    other.paths["/price/{feed}"].get.parameters.shift();
    assert.equal((await validate(other)).valid, false);
  });

  test(`${name}: answers have the shapes of the document`, async () => {
    const document = await load();
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema({ $id: "doc", ...document });
    const fits = (schema, body, what) => {
      const whole = { $id: `doc-${what}`, ...schema,
        components: document.components };
      const check = ajv.compile(whole);
      assert.ok(check(body), `${what}: ${ajv.errorsText(check.errors)}`);
    };
    const item = await (await fetch(`${base}/price/BTC-USD`)).json();
    const values = { feed: "BTC-USD", file: "style.css",
      sha256: item.attestation_sha256 };
    const id = await sha256("BTC-USD");
    let compared = 0;

    const compare = async (operation, what, reply) => {
      const type = reply.headers.get("content-type");
      const described = operation.responses[reply.status]?.content?.[type];
      if (!described || !/json$/.test(type)) {
        await reply.body?.cancel();
        return;
      }
      fits(described.schema, await reply.json(), `${what} ${reply.status}`);
      compared += 1;
    };
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        let target = base + path.replace(/{(.*)}/, (_, n) => values[n]);
        if (path.includes("/updates/")) target += `?ids[]=${id}`;
        const body = method === "post" ? JSON.stringify(item) : undefined;
        await compare(operation, path, await fetch(target, { method, body }));
        const wrong = target + (target.includes("?") ? "&" : "?") + "x=1";
        await compare(operation, `${path}?x`,
          await fetch(wrong, { method, body }));
      }
    const price = document.paths["/price/{feed}"].get;
    await compare(price, "ref",
      await fetch(`${base}/price/BTC-USD?attestation=ref`));
    await compare(price, "unknown", await fetch(`${base}/price/NO-SUCH`));
    await compare(document.paths["/price"].get, "missing",
      await fetch(`${base}/price?feeds=BTC-USD,NO-SUCH`));
    assert.ok(compared > 20, `${compared} were compared`);
    assert.equal(ajv.compile({ $id: "no", ...document.components.schemas.Item,
      components: document.components })({ content: 1 }), false);
  });
}
