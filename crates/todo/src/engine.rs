//! What answers in the chat.

use std::sync::Arc;

use todo_assistant::{
    Builtin,
    chat::Engine,
    model::{Key, Model, Options},
};

use crate::cli::Llm;

/// The language model that was chosen, if one was.
///
/// # Errors
/// A sentence for the operator: a provider without a model.
pub fn options(llm: &Llm) -> Result<Option<Options>, String> {
    let Some(model) = llm.llm_model.clone() else {
        return match llm.llm_base_url {
            Some(_) => {
                Err("LLM_BASE_URL (--llm-base-url) needs LLM_MODEL (--llm-model), the model to ask for".to_owned())
            }
            None => Ok(None),
        };
    };
    Ok(Some(Options {
        base_url: llm.llm_base_url.clone(),
        model,
        timeout: llm.llm_timeout,
        temperature: llm.llm_temperature,
        max_tokens: llm.llm_max_tokens,
        rounds: llm.max_tool_iterations,
    }))
}

/// The model where one was chosen, else the grammar.
pub(crate) fn build(options: Option<Options>, key: Key) -> Result<Arc<dyn Engine>, String> {
    Ok(match options {
        Some(options) => Arc::new(Model::new(options, key)?),
        None => Arc::new(Builtin),
    })
}
