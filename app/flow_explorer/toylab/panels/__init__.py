"""The toy lab's panels and plots."""
