// Forms answered by a passkey: data-passkey says whether to create or use one, data-options has the browser's options.
"use strict";

(() => {
  const able = typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";
  const REASONS = {
    InvalidStateError: "This device already has a passkey for your account.",
    NotAllowedError: "The request was cancelled or took too long.",
    SecurityError: "Passkeys work only at this service's own address, and this is a different one.",
  };

  async function answer({ passkey, options }) {
    const asked = JSON.parse(options);
    if (passkey === "make") {
      return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) });
    }
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
  }

  function say(form, text) {
    const notice = form.querySelector("[role=alert]");
    notice.textContent = text;
    notice.hidden = false;
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("button");
    button.disabled = !able;
    if (!able) say(form, "This browser cannot use passkeys here: they need a current browser and https.");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        form.elements.namedItem(form.dataset.field).value = JSON.stringify((await answer(form.dataset)).toJSON());
        form.submit(); // does not fire this event again
      } catch (error) {
        say(form, REASONS[error.name] ?? `The passkey could not be used (${error.name}).`);
        button.disabled = false;
      }
    });
  }
})();
