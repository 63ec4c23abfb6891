// Passkeys: what the server asks goes to the browser's keys, and their answer into the form. webauthn-json.js converts.
"use strict";
(() => {
  const form = document.querySelector("[data-passkey]");
  // A key is bound to a name: an address such as 127.0.0.1 has none.
  const named = !/^[\d.]+$|:/.test(location.hostname.replace(/^\[|\]$/g, ""));
  if (!form || !named || !window.webauthnJSON?.supported()) return;
  const refusal = form.querySelector("[role=alert]");
  form.hidden = false;
  document.querySelectorAll("[data-without-passkey]").forEach(each => { each.hidden = true; });

  const options = async () => {
    const given = form.querySelector("script[type='application/json']");
    if (given) return JSON.parse(given.textContent);
    const answer = await fetch(form.dataset.passkey, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("no options");
    return answer.json();
  };

  form.addEventListener("submit", async event => {
    event.preventDefault();
    refusal.hidden = true;
    try {
      const asked = await options();
      const making = "user" in asked.publicKey;
      const credential = await (making ? webauthnJSON.create(asked) : webauthnJSON.get(asked));
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch {
      refusal.hidden = false;
    }
  });
})();
