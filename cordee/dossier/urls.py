from django.urls import path

from cordee.dossier import views

app_name = "dossier"
urlpatterns = [path("<int:space>/", views.board, name="board")]
