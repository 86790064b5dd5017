"""The course: its labs, and the learner's own copies of them."""
